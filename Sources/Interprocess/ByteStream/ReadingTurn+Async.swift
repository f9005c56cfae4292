// SPDX-License-Identifier: MIT OR Apache-2.0

extension ReadingTurn {
    /// Suspends the task until another one passes on its turn; or does not, if it has done so already.
    ///
    /// - Returns: 0; or one of `Ending`, or a negated error code.
    func wait(_ core: DescriptorCore, until deadline: Deadline) async -> Int64 {
        var failure: Int64 = 0
        guard let registration = core.registration(.receive, &failure) else { return failure }
        let isTaken = beginWaitingTask()
        let outcome = isTaken ? await registration.wait(.turn, until: deadline, isBack: false) : .ready
        endWaitingTask()
        // The turn may have been passed on to this task just when it gave up.
        if outcome.value < 0 { passOn(core) }
        return outcome.value
    }
}
