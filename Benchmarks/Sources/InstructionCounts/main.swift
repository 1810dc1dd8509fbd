// Runs one piece of work per family, so that valgrind can count its instructions: Benchmarks/counts.sh compares them.
//
// InstructionCounts           runs every family once, in order
// InstructionCounts --list    prints their names in the same order
//
// What is counted happens inside `runCounted`, whose name callgrind is told. Everything here is fixed: inputs, seeds, sizes.
import CServeCore
import CServeEngine
import CServeScheduling
import CServeText
import Foundation

/// What is to be counted. One thread at a time sets and runs it.
nonisolated(unsafe) private var work: () -> Void = {}

/// callgrind counts while this runs, and writes a profile when it ends. It takes no closure, so that the optimiser cannot
/// make copies of it under other names.
@inline(never)
func runCounted() {
    work()
}

/// Counts the instructions of a piece of work.
func counted(_ body: () -> Void) {
    withoutActuallyEscaping(body) { escaping in
        work = escaping
        runCounted()
        work = {}
    }
}

/// A name and what prepares its work; the work itself is what `counted` runs.
struct Family {
    var name: String
    var run: () throws -> Void
}

let families: [Family] = schedulerFamilies() + tokenizerFamilies() + samplerFamilies() + kernelFamilies()
if CommandLine.arguments.dropFirst().first == "--list" {
    for family in families { print(family.name) }
} else {
    for family in families { try family.run() }
}
