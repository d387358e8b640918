/** What the code generator may use. AVX2, FMA and BMI2 are always there: an older CPU is not an x86 target. */
export interface X86Features {
  /** AVX-512 F, BW, VL and DQ. */
  readonly avx512: boolean;
}
