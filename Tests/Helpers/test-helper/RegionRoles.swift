// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// Says what is in the region that it was started with.
func readRegion(_ descriptor: RawDescriptor) throws {
    let region = try SharedRegion(adopting: descriptor)
    say("got \(region.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })")
}
