// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCRawMessage {
    /// Decodes the value that the message is.
    ///
    /// The endpoints, regions and descriptors in it are taken out of the message by this, so that only one value can have
    /// them.
    ///
    /// - Parameter type: The value's type.
    /// - Returns: The value.
    /// - Throws: ``IPCError/Code/decodingFailed`` when it is no such value, or its descriptors have been taken before.
    public func decode<Value: Decodable>(as type: Value.Type) throws(IPCError) -> Value {
        var limits = IPCCodingLimits()
        limits.bytes = max(limits.bytes, bytes.count)
        return try decode(as: type, by: IPCDecoder(limits: limits))
    }

    func decode<Value: Decodable>(as type: Value.Type, by decoder: IPCDecoder) throws(IPCError) -> Value {
        if let value {
            if let held = value as? HeldValue<Value> { return unsafe held.value }
            throw IPCError(CodingFailure("it is a value of another type"), .decode, type: type)
        }
        return unsafe try bytes.withUnsafeBufferPointer { bytes throws(IPCError) in
            try decoder.decode(type, from: unsafe UnsafeRawBufferPointer(bytes).bytes, attachments)
        }
    }
}

/// A value on its way inside one process.
final class HeldValue<Value>: UncodedValue {
    // Values of channels are Sendable; those that can be asked for need only be Decodable.
    nonisolated(unsafe) let value: Value

    init(_ value: Value) where Value: Sendable { unsafe self.value = value }
}
