// SPDX-License-Identifier: MIT OR Apache-2.0

/// Something that moves to another process when it is sent there.
protocol MovingEnd: Sendable {
    associatedtype Move: EndMove

    /// Begins to move it.
    ///
    /// - Throws: `.busy`, `.endpointMoved`.
    func beginMove() throws(IPCError) -> Move
}

/// A move, during which nobody uses what moves: undone when this goes, unless it is finished.
protocol EndMove: AnyObject, Sendable {
    /// It is somebody else's now.
    func finish()
}

extension PacketReceiver: MovingEnd {}
extension PacketReceiver.Move: EndMove {}
