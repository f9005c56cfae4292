// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CInterprocess

/// A value of the usual kinds, one inside the other.
struct Everything: Codable {
    var numbers = [1, 2, -3]
    var flag = true
    var double: Double? = 1.5
    var nothing: Int?
    var text = "ä text"
    var bytes: [UInt8] = [1, 2, 3]
    var floats: [Float] = [1, 2.5]
    var small: Int8 = -1
    var large: UInt128 = 1 << 100
    var dictionary = ["a": [1: "x"], "": [:]]
    var set: Set<UInt16> = [1, 500]
    var tree = Tree.pair(.leaf(1), name: "n", .nothing)
    var trees = [Tree.nothing, .leaf(5)]
    var points = [Point(), Point(x: 1, y: 2, time: 3)]
    var point: Point? = Point()
    var optionals: [Int??] = [1, .some(nil), nil]
    var level = Level.high
    var levels = [Level.low, .high]
    var inner: [Inner] = [Inner(), Inner()]
    var duration = Duration.seconds(1)
    var range = 1..<3

    enum Level: String, Codable { case low, high }

    struct Inner: Codable {
        var name: String? = "inner"
        var flags = [true, false]
    }
}

indirect enum Tree: Codable {
    case nothing
    case leaf(Int)
    case pair(Tree, name: String, Tree)
}

/// One that is coded by its superclass too.
class TreeBase: Codable {
    var name = "base"
}

final class TreeHolder: TreeBase {
    var tree = Tree.leaf(1)
    private enum Keys: CodingKey { case tree }

    override init() { super.init() }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        tree = try container.decode(Tree.self, forKey: .tree)
        try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(tree, forKey: .tree)
        try super.encode(to: container.superEncoder())
    }
}

struct Point: IPCPlain {
    var x: Float = 0
    var y: Float = 0
    var time: UInt64 = 0
    static let layout = IPCPlainLayout(\Point.x, \.y, \.time)
}

/// Whatever can come with a descriptor.
enum Ends: Codable {
    case sender(IPCSender<Int>)
    case receiver(IPCReceiver<String>, [IPCDescriptor])
    case region(SharedRegion?)
    case stream(LocalSocketStream)
    case pool(SharedRegionPool.Reader)
    case memory(UnsafeSharedMemory)
}

/// Descriptors of each kind, to have copies of.
final class Samples: Sendable {
    static let shared = Samples()
    private let descriptors: [Int64]

    private init() {
        do {
            let (sender, receiver) = try IPCChannel.make(of: Int.self)
            let (near, _) = try LocalSocketStream.pair()
            let region = try SharedRegion(copying: [1, 2, 3].span.bytes)
            let (pool, reader) = try SharedRegionPool.make(slotCount: 1, slotSize: 10)
            let memory = try UnsafeSharedMemory(byteCount: 10)
            defer { withExtendedLifetime((receiver, pool)) {} }
            let cores = [sender.descriptorCore, near.descriptorCore, region.descriptorCore, reader.region]
            descriptors = (cores + [memory.descriptorCore]).map { cip_duplicate($0.descriptor) }
        } catch { fatalError("no descriptors: \(error)") }
    }

    /// The lowest number that no descriptor has.
    private static var lowest: Int64 {
        let number = cip_duplicate(0)
        _ = cip_close(number)
        return number
    }

    func original(_ index: Int) -> Int64 { descriptors[index % descriptors.count] }

    func duplicate(_ index: Int) -> Int64 { cip_duplicate(original(index)) }

    /// Does something that must leave no descriptor open.
    func withoutLeaks(_ body: () -> Void) {
        let before = Samples.lowest
        body()
        if Samples.lowest != before { fatalError("found: a descriptor is left open") }
    }
}
#endif
