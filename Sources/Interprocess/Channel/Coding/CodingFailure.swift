// SPDX-License-Identifier: MIT OR Apache-2.0

/// Why a value cannot be encoded or decoded, on its way out of the value's own code.
struct CodingFailure: Error {
    /// The code, if it is not that of the operation.
    var code: IPCError.Code?
    var message: String
    /// From the outermost value to where it failed, each with a dot, or an index in brackets.
    var path = ""

    init(_ message: String, code: IPCError.Code? = nil) {
        self.message = message
        self.code = code
    }

    /// Any error, with its message.
    init(wrapping error: any Error) {
        switch error {
        case let failure as CodingFailure: self = failure
        case EncodingError.invalidValue(_, let context): self.init(context.debugDescription)
        case DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context),
            DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            self.init(context.debugDescription)
        default: self.init(String(describing: error))
        }
    }

    /// The error for the caller outside the value that was being coded under a key.
    ///
    /// - Returns: The library's own errors as they are, such as that of an endpoint that has been given away.
    static func within(_ key: some CodingKey, _ error: any Error) -> any Error { within(".\(key.stringValue)", error) }

    static func within(_ index: Int, _ error: any Error) -> any Error { within("[\(index)]", error) }

    private static func within(_ step: String, _ error: any Error) -> any Error {
        if error is IPCError { return error }
        var failure = CodingFailure(wrapping: error)
        failure.path = step + failure.path
        return failure
    }
}

extension IPCError {
    /// The error of coding a value of a type.
    init(_ error: any Error, _ operation: Operation, type: Any.Type) {
        if let error = error as? IPCError {
            self = error
            return
        }
        let failure = CodingFailure(wrapping: error)
        self.init(
            failure.code ?? (operation == .encode ? .encodingFailed : .decodingFailed),
            operation,
            name: String(describing: type) + failure.path,
            detail: failure.message
        )
    }
}
