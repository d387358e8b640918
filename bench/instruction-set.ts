/**
 * Holding every contender to AVX2 on a processor that has more, as on most users' machines. Each framework is told in its own way; processes
 * that the bench starts inherit it.
 */
const switches: Readonly<Record<string, string>> = {
  TRIVIUM_AVX512: "0",
  // Convolutions and products of TensorFlow and PyTorch.
  ONEDNN_MAX_CPU_ISA: "AVX2",
  MKL_ENABLE_INSTRUCTIONS: "AVX2",
  // PyTorch's own kernels.
  ATEN_CPU_CAPABILITY: "avx2",
};
/** What XLA compiles. */
const xlaFlag = "--xla_cpu_max_isa=AVX2";

/** Sets the switches for this process and all that it starts. */
export function holdToAvx2(environment: NodeJS.ProcessEnv): void {
  Object.assign(environment, switches);
  environment.XLA_FLAGS = [environment.XLA_FLAGS, xlaFlag]
    .filter((flags) => flags !== undefined && flags !== "")
    .join(" ");
}
