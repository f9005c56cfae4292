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
        unsafe try bytes.withUnsafeBufferPointer { bytes throws(IPCError) in
            try decoder.decode(type, from: unsafe UnsafeRawBufferPointer(bytes).bytes, attachments)
        }
    }
}
