// SPDX-License-Identifier: MIT OR Apache-2.0

/// Ten fields of the usual kinds.
struct TenFields: Codable, Sendable {
    var id: UInt64 = 1
    var sequence: UInt32 = 2
    var flag = true
    var time = 3.5
    var kind: UInt8 = 4
    var x: Int32 = -5
    var name = "a name of twenty chr"
    var tag = "tag"
    var option: Int? = 42
    var values = [1, 2, 3, 4, 5, 6, 7, 8]
}
