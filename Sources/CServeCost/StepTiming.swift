// What a simulator asks of a cost model: the time of a micro-batch on each stage, and of what surrounds it.
import CServeCore

/// The times of one replica. Pure: the same composition always takes the same time.
public protocol StepTiming: Sendable {
    /// Stages of the pipeline.
    var stages: Int { get }

    /// How long a stage is taken by a micro-batch: kernels, collectives of its ranks, exposed weight streaming, launches.
    func stageTime(of step: StepComposition, stage: Int) -> Nanoseconds

    /// How long the activations take from a stage to the next one.
    func sendTime(of step: StepComposition, after stage: Int) -> Nanoseconds

    /// What the host spends on a step where nothing on the accelerator hides it: scheduling, inputs, sampling's result,
    /// detokenising. It delays the step's start on stage 0.
    func hostTime(of step: StepComposition) -> Nanoseconds

    /// From a request's arrival at the server until the scheduler has it: HTTP, template, tokenizer.
    func ingressTime(promptTokens: Int) -> Nanoseconds

    /// From a step's end until the client has its tokens.
    var egressTime: Nanoseconds { get }
}
