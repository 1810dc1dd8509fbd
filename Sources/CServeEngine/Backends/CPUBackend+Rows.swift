// The CPU backend's operations on rows: each is one call of the C kernels.

import CKernels
import CServeCore

extension CPUBackend {
    /// One strided read of the packed table per number.
    public func embed(_ batch: BatchInputs, table: CPUWeight, firstToken: Int, scale: Float, into out: HostBuffer) {
        batch.tokens.withUnsafeBufferPointer { tokens in
            cs_embed(
                context, table.format, table.base, Int32(table.rows), Int32(table.columns), tokens.baseAddress,
                Int32(firstToken), Int32(tokens.count), scale, out.base, out.columns)
        }
    }

    /// Sums run in an order that the row length fixes.
    public func rmsNorm(_ x: HostBuffer, weight: HostVector, epsilon: Float, rows: Int, into out: HostBuffer) {
        cs_rms_norm(
            context, x.base, x.columns, weight.base, epsilon, Int32(rows), Int32(weight.count), out.base, out.columns)
    }

    /// Row by row.
    public func add(_ delta: HostBuffer, to x: HostBuffer, rows: Int) {
        cs_add(context, delta.base, delta.columns, x.base, x.columns, Int32(rows), Int32(x.columns))
    }

    /// One pass over the row for the sum, one for the norm.
    public func addNorm(
        _ delta: HostBuffer, to residual: HostBuffer, weight: HostVector, epsilon: Float, rows: Int,
        into out: HostBuffer
    ) {
        cs_add_norm(
            context, delta.base, delta.columns, residual.base, residual.columns, weight.base, epsilon, Int32(rows),
            Int32(weight.count), out.base, out.columns)
    }

    /// A panel of 64 outputs by up to 96 rows per item; decode is bound by reading `weight` once.
    public func linear(_ x: HostBuffer, _ weight: CPUWeight, rows: Int, into out: HostBuffer) {
        var arguments = cs_linear_args(
            x: x.base, x_stride: x.columns, weight: weight.base, format: weight.format, bias: weight.bias,
            out: out.base, out_stride: out.columns, rows: Int32(rows), inputs: Int32(weight.columns),
            outputs: Int32(weight.rows))
        cs_linear(context, &arguments)
    }

    /// Vector polynomials within a few ulp of libm.
    public func activate(_ gateUp: HostBuffer, _ activation: Activation, rows: Int, into out: HostBuffer) {
        cs_activate(
            context, activation.kernelActivation, gateUp.base, gateUp.columns, Int32(rows), Int32(out.columns),
            out.base,
            out.columns)
    }

    /// By the vector tanh.
    public func softcap(_ x: HostBuffer, cap: Float, rows: Int, columns: Int) {
        cs_softcap(context, x.base, x.columns, cap, Int32(rows), Int32(columns))
    }

    /// One copy per row.
    public func gather(_ x: HostBuffer, rows: UnsafeBufferPointer<Int32>, into out: HostBuffer) {
        cs_gather(
            context, x.base, x.columns, rows.baseAddress, Int32(rows.count), Int32(x.columns), out.base, out.columns)
    }
}

extension Activation {
    /// The C kernels' name.
    var kernelActivation: cs_activation {
        switch self {
        case .silu: CS_SILU
        case .gelu: CS_GELU
        case .geluTanh: CS_GELU_TANH
        case .relu: CS_RELU
        }
    }
}
