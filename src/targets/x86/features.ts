/** What the code generator may use. AVX2, FMA and BMI2 are always there: an older CPU is not an x86 target. */
export interface X86Features {
  /** AVX-512 F, BW, VL and DQ. */
  readonly avx512: boolean;
}

/** What of a processor is used: `TRIVIUM_AVX512=0` holds it to AVX2. */
export function chooseFeatures(cpu: X86Features, wanted: { readonly avx512?: boolean } = {}): X86Features {
  return { avx512: cpu.avx512 && wanted.avx512 !== false && process.env.TRIVIUM_AVX512 !== "0" };
}
