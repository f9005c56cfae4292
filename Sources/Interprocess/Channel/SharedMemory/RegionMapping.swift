// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// What may still change once a region is shared.
enum RegionSharing {
    /// Nothing.
    case frozen
    /// Its contents, by who has made it; others can only read.
    case lent
    /// Its contents, by everybody.
    case writable

    var code: Int64 {
        switch self {
        case .frozen: Int64(CIP_REGION_FROZEN)
        case .lent: Int64(CIP_REGION_LENT)
        case .writable: Int64(CIP_REGION_WRITABLE)
        }
    }
}

/// A region where it is made: nobody else has it until it is shared.
final class RegionDraft: @unchecked Sendable {
    static let name = "a shared region"

    private var region: cip_region
    private var mapping: RegionMapping?

    /// Makes a region of zeroes.
    ///
    /// - Parameters:
    ///   - byteCount: Its size.
    ///   - isReserved: Whether all of its memory is there before it is used.
    /// - Throws: `.invalidArgument`, `.resourcesExhausted`.
    init(_ byteCount: Int, isReserved: Bool = false) throws(IPCError) {
        if byteCount < 0 {
            throw IPCError(.invalidArgument, .create, name: Self.name, detail: "its size cannot be negative")
        }
        region = cip_region(writable: -1, readable: -1)
        let result = System.call(.memory) { unsafe cip_region_create(byteCount, &region) }
        if result < 0 { throw IPCError(result: result, .create, name: Self.name) }
        if isReserved {
            let result = System.call(.memory) { unsafe cip_region_reserve(&region, byteCount) }
            if result < 0 { throw IPCError(result: result, .create, name: Self.name) }
        }
        mapping = try RegionMapping(region.writable, byteCount, toFill: true)
        if isReserved { mapping?.touch(toFill: true) }
    }

    var memory: UnsafeMutableRawBufferPointer {
        unsafe mapping?.memory ?? UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Shares it, once; what is frozen has no memory here any more.
    ///
    /// - Returns: What others get.
    func share(_ sharing: RegionSharing) throws(IPCError) -> OwnedDescriptor {
        // What is mapped to be written cannot be sealed.
        if sharing == .frozen { mapping = nil }
        let result = System.call(.memory) { unsafe cip_region_share(&region, sharing.code) }
        if result < 0 { throw IPCError(result: result, .create, name: Self.name) }
        region = cip_region(writable: -1, readable: -1)
        return OwnedDescriptor(result)
    }

    deinit {
        if region.readable != region.writable { _ = cip_close(region.readable) }
        if region.writable >= 0 { _ = cip_close(region.writable) }
    }
}

/// A region's memory, as this process sees it.
@safe
// Sendable: its memory is nobody else's, and goes with it from thread to thread.
struct RegionMapping: ~Copyable, @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer

    /// Nothing is mapped for no bytes, which no system does.
    init(_ descriptor: Int64, _ byteCount: Int, toFill: Bool) throws(IPCError) {
        var base: UnsafeMutableRawPointer?
        if byteCount > 0 {
            let result = System.call(.memory) { unsafe cip_region_map(descriptor, byteCount, toFill, &base) }
            if result < 0 { throw IPCError(result: result, .create, name: RegionDraft.name) }
        }
        unsafe memory = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    var byteCount: Int { unsafe memory.count }

    /// Has all of it present.
    func touch(toFill: Bool) {
        if let base = unsafe memory.baseAddress { unsafe cip_region_touch(base, memory.count, toFill) }
    }

    /// How much counts of a region that another process has made.
    ///
    /// - Parameters:
    ///   - descriptor: The region.
    ///   - byteCount: How much is to count; `nil` is all of it.
    ///   - sharing: How it has to be shared.
    ///   - name: What errors call it.
    /// - Returns: The size.
    /// - Throws: `.invalidArgument` when it is no region, or smaller than that; `.permissionDenied` when it is not
    ///   shared so.
    static func size(
        ofReceived descriptor: Int64,
        _ byteCount: Int?,
        _ sharing: RegionSharing,
        name: String
    ) throws(IPCError) -> Int {
        let size = System.call(.memory) { cip_region_size(descriptor, sharing.code) }
        if size < 0 {
            let detail: String? =
                switch IPCError.Code(systemCode: -size) {
                case .invalidArgument: "it is no region of shared memory"
                case .permissionDenied: "the region is not \(sharing), as it has to be"
                default: nil
                }
            throw IPCError(result: size, .adopt, name: name, detail: detail)
        }
        let count = byteCount ?? Int(size)
        if count < 0 || count > Int(size) {
            throw IPCError(.invalidArgument, .adopt, name: name, detail: "the region is smaller than that")
        }
        return count
    }

    deinit {
        if let base = unsafe memory.baseAddress { unsafe cip_region_unmap(base, memory.count) }
    }
}

/// A region that came from elsewhere, mapped, and its owner.
struct AdoptedRegion: ~Copyable {
    let mapping: RegionMapping
    let core: DescriptorCore

    /// Takes over a region, which stays the caller's when this throws.
    ///
    /// - Throws: As `RegionMapping.size(ofReceived:_:_:name:)`; `.resourcesExhausted`.
    static func adopt(
        _ descriptor: RawDescriptor,
        _ byteCount: Int?,
        _ sharing: RegionSharing
    ) throws(IPCError) -> AdoptedRegion {
        let name = "descriptor \(descriptor)"
        let count = try RegionMapping.size(ofReceived: Int64(descriptor), byteCount, sharing, name: name)
        let adopted = System.call(.option) { cip_adopt(Int64(descriptor)) }
        if adopted < 0 { throw IPCError(result: adopted, .adopt, name: name) }
        let mapping = try RegionMapping(Int64(descriptor), count, toFill: sharing == .writable)
        let owned = OwnedDescriptor(Int64(descriptor))
        return AdoptedRegion(mapping: mapping, core: DescriptorCore(owned, name: name, waker: .poll, isShared: true))
    }
}
