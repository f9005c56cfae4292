// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

/// The thread sanitizer or the address sanitizer, where the tests were built with one.
enum Sanitizer {
    private typealias Symbolize =
        @Sendable @convention(c) (
            _ place: UInt, _ format: UnsafePointer<CChar>, _ text: UnsafeMutablePointer<CChar>, _ capacity: UInt
        ) -> Void

    private static let symbolize = dlsym(nil, "__sanitizer_symbolize_pc").map { unsafeBitCast($0, to: Symbolize.self) }

    /// Whether there is one; it makes everything several times slower.
    static var isPresent: Bool { symbolize != nil }

    /// Whether it is the thread sanitizer, which puts signals off, and keeps one of each number meanwhile.
    static let losesSignals = dlsym(nil, "__tsan_init") != nil

    /// Has it start the program that finds names for its reports, which it otherwise does in the middle of a test, and
    /// keeps two pipes to.
    static let startSymbolizer: Void = {
        guard let symbolize else { return }
        var text = [CChar](repeating: 0, count: 256)
        let capacity = UInt(text.count)
        symbolize(unsafeBitCast(symbolize, to: UInt.self), "%f", &text, capacity)
    }()
}
