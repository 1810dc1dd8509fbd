// The seam for grammars: something that knows which tokens may come next in one branch's answer.

import CServeCore

/// Restricts what one branch may sample. Owned by the engine loop's thread; a branch without one samples freely.
public protocol LogitMask: AnyObject {
    /// Sets the logits of tokens that may not come next to minus infinity.
    func apply(to logits: UnsafeMutableBufferPointer<Float>)
    /// Takes note of the token that was sampled.
    func advance(by token: TokenID)
}
