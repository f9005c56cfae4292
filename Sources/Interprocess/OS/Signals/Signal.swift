// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A signal, such as SIGTERM: its number on this system.
///
/// Numbers differ from system to system; the names do not.
public struct Signal: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The system's number.
    public let rawValue: Int32

    /// Takes a number as it is, whether or not the system has a signal of that number.
    ///
    /// - Parameter rawValue: The system's number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The name in the system's headers, such as `SIGTERM`; without one, `signal` and the number.
    public var description: String {
        let name = unsafe String(cString: cip_signal_name(Int64(rawValue)))
        return name.isEmpty ? unnamed : name
    }

    /// Why it cannot be watched, if it cannot.
    var refusal: (code: IPCError.Code, detail: String)? {
        switch Int(cip_signal_nature(Int64(rawValue))) {
        case CIP_SIGNAL_CATCHABLE: nil
        case CIP_SIGNAL_UNCATCHABLE: (.unsupported, "the system lets no process catch it")
        case CIP_SIGNAL_SYNCHRONOUS:
            (.unsupported, "it is raised by an instruction that has failed, and would fail again and again")
        case CIP_SIGNAL_RESERVED: (.unsupported, "the C library keeps it for itself")
        default: (.invalidArgument, "the system has no signal of that number")
        }
    }
}
