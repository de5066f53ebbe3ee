// Runs a Rust test binary that was compiled for wasm32-unknown-unknown. Such a module has no output and no
// unwinding: its `main` answers 0 when all tests passed, and traps in the first one that fails, whose name is then
// in the trace.
import { readFile } from "node:fs/promises";

// The failed test is far up in the trace, below the panic machinery.
Error.stackTraceLimit = 50;
const file = process.argv[2];
const { instance } = await WebAssembly.instantiate(await readFile(file), {});
try {
  const code = instance.exports.main(0, 0);
  if (code !== 0) throw new Error(`the tests ended with ${code}`);
} catch (error) {
  console.error(`FAILED as WebAssembly: ${file}\n${error.stack ?? error}`);
  process.exit(1);
}
