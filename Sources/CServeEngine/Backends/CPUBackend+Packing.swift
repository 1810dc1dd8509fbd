// How a checkpoint's rows, plain or coded, become the CPU kernels' panels, on all threads.

import CKernels
import CServeCore

extension CPUBackend {
    /// Packs plain rows as plain numbers or as codes.
    func pack(
        _ rows: MatrixSource.PlainRows, _ format: WeightFormat, at first: Int, columns: Int,
        into base: UnsafeMutableRawPointer
    ) {
        let type = rows.element.kernelType
        if case .plain(let element) = format {
            cs_pack(context, element.kernelType, base, first, columns, rows.base, type, rows.rowStride, rows.rows)
        } else {
            cs_quantize(
                context, format.kernelFormat, base, first, columns, rows.base, type, rows.rowStride, rows.rows)
        }
    }

    /// Packs coded rows as codes of a format that holds them, or as the numbers that they stand for.
    ///
    /// A thread holds the rows of one panel at a time.
    func pack(_ rows: CodedSlice, _ format: WeightFormat, at first: Int, into base: UnsafeMutableRawPointer) {
        let run = Int(CS_PANEL)
        let columns = rows.columns.count
        onThreads(items: (rows.rows.count + run - 1) / run) { item in
            let wanted = (item * run)..<min((item + 1) * run, rows.rows.count)
            switch format {
            case .plain(let element):
                let values = UnsafeMutablePointer<Float>.allocate(capacity: wanted.count * columns)
                defer { values.deallocate() }
                rows.read(wanted, into: values)
                cs_pack_rows(
                    element.kernelType, base, first + wanted.lowerBound, columns, values, CS_F32, columns,
                    wanted.count)
            case .quantized(let target):
                let codes = CodeRows(target, rows: wanted.count, columns: columns)
                rows.read(wanted, into: codes)
                cs_pack_codes(
                    format.kernelFormat, base, first + wanted.lowerBound, columns, codes.codes, codes.scales,
                    codes.minimums, wanted.count)
            }
        }
    }

    /// Runs a body for each of `items` on the pool's threads.
    private func onThreads(items: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var body = body
            withUnsafeMutablePointer(to: &body) { pointer in
                cs_context_run(
                    context,
                    { opaque, _, first, last in
                        guard let body = opaque?.assumingMemoryBound(to: ((Int) -> Void).self).pointee else { return }
                        for item in first..<last { body(Int(item)) }
                    }, pointer, Int32(items))
            }
        }
    }
}
