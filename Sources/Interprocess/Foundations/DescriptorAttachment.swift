// SPDX-License-Identifier: MIT OR Apache-2.0

/// What else has to know when a descriptor closes: an event loop it is registered with, or an engine that has
/// operations under way.
protocol DescriptorAttachment: AnyObject, Sendable {
    /// A side is marked closed; calls may still be under way. Comes once for each side that is closed, on the closing
    /// thread.
    func willClose(_ side: DescriptorCore.Side)
    /// No call is under way and none can come: the descriptor is closed, or given away, when this returns.
    func didDrain()
}

final class AttachmentBox: Sendable {
    let attachment: any DescriptorAttachment
    init(_ attachment: any DescriptorAttachment) { self.attachment = attachment }
}

extension DescriptorCore {
    /// Attaches something, once.
    ///
    /// - Returns: What is attached from now on: it, or what another thread attached first.
    func attach(_ new: any DescriptorAttachment) -> any DescriptorAttachment {
        attachment.set(AttachmentBox(new)).attachment
    }

    var attached: (any DescriptorAttachment)? { attachment.value?.attachment }
}
