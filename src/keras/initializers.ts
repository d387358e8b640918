/** `keras.initializers`: names and defaults of Keras over the neutral initialisers. */
import { ArgumentError } from "../errors.ts";
import type { Shape } from "../graph/shape.ts";
import { Callable } from "../nn/callable.ts";
import * as neutral from "../nn/initializers.ts";
import { Generator, type Tensor } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { checkOptions, lookUp } from "./options.ts";
import { constructing, Registry, type Serialized } from "./registry.ts";

/**
 * Makes weights: `initializer(shape)`. With a `seed` every call gives the same numbers for the same shape; without one they come from the
 * generator that `keras.utils.setRandomSeed` seeds.
 */
export abstract class Initializer extends Callable<[shape: Shape], Tensor> {
  protected readonly config: Config;

  constructor(config: Config) {
    super();
    this.config = config;
  }
  protected abstract initialize(): neutral.Initialize;
  override invoke(shape: Shape): Tensor {
    const { seed } = this.config;
    return this.initialize()(shape, typeof seed === "number" ? new Generator(seed) : undefined);
  }
  get className(): string {
    return this.constructor.name;
  }
  getConfig(): Config {
    return { ...this.config };
  }
}

export interface SeedOptions {
  readonly seed?: number;
}

export class Zeros extends Initializer {
  constructor() {
    super({});
  }
  protected override initialize(): neutral.Initialize {
    return neutral.zerosInitializer;
  }
}

export class Ones extends Initializer {
  constructor() {
    super({});
  }
  protected override initialize(): neutral.Initialize {
    return neutral.onesInitializer;
  }
}

export class Constant extends Initializer {
  constructor(value: number | { readonly value?: number } = 0) {
    super({ value: typeof value === "number" ? value : (value.value ?? 0) });
  }
  protected override initialize(): neutral.Initialize {
    return neutral.constantInitializer(this.config.value as number);
  }
}

export class Identity extends Initializer {
  constructor(options: { readonly gain?: number } = {}) {
    checkOptions("Identity", options, ["gain"]);
    super({ gain: options.gain ?? 1 });
  }
  protected override initialize(): neutral.Initialize {
    return neutral.identityInitializer(this.config.gain as number);
  }
}

export class RandomUniform extends Initializer {
  constructor(options: SeedOptions & { readonly minval?: number; readonly maxval?: number } = {}) {
    checkOptions("RandomUniform", options, ["minval", "maxval", "seed"]);
    super({ minval: options.minval ?? -0.05, maxval: options.maxval ?? 0.05, seed: options.seed ?? null });
  }
  protected override initialize(): neutral.Initialize {
    return neutral.randomUniformInitializer(this.config.minval as number, this.config.maxval as number);
  }
}

export class RandomNormal extends Initializer {
  constructor(options: SeedOptions & { readonly mean?: number; readonly stddev?: number } = {}) {
    checkOptions("RandomNormal", options, ["mean", "stddev", "seed"]);
    super({ mean: options.mean ?? 0, stddev: options.stddev ?? 0.05, seed: options.seed ?? null });
  }
  protected override initialize(): neutral.Initialize {
    return neutral.randomNormalInitializer(this.config.mean as number, this.config.stddev as number);
  }
}

export class TruncatedNormal extends Initializer {
  constructor(options: SeedOptions & { readonly mean?: number; readonly stddev?: number } = {}) {
    checkOptions("TruncatedNormal", options, ["mean", "stddev", "seed"]);
    super({ mean: options.mean ?? 0, stddev: options.stddev ?? 0.05, seed: options.seed ?? null });
  }
  protected override initialize(): neutral.Initialize {
    return neutral.truncatedNormalInitializer(this.config.mean as number, this.config.stddev as number);
  }
}

export class Orthogonal extends Initializer {
  constructor(options: SeedOptions & { readonly gain?: number } = {}) {
    checkOptions("Orthogonal", options, ["gain", "seed"]);
    super({ gain: options.gain ?? 1, seed: options.seed ?? null });
  }
  protected override initialize(): neutral.Initialize {
    return neutral.orthogonalInitializer(this.config.gain as number);
  }
}

export interface STFTOptions {
  /** The real or the imaginary part. */
  readonly side?: "real" | "imag";
  /** What weights the steps of a frame; "hann" by default. */
  readonly window?: neutral.WindowName | null;
  readonly scaling?: "density" | "spectrum" | null;
  /** Whether the window's period is the frame, rather than one step less. */
  readonly periodic?: boolean;
}

/** Kernels [frame length, 1, frequencies] of a convolution that is a short-time Fourier transform. After keras.initializers.STFT. */
export class STFT extends Initializer {
  constructor(options: STFTOptions = {}) {
    checkOptions("STFT", options, ["side", "window", "scaling", "periodic"]);
    const { side = "real", window = "hann", scaling = "density", periodic = false } = options;
    lookUp("STFT", "side", side, { real: 1, imag: 1 });
    if (window !== null) lookUp("STFT", "window", window, neutral.windows);
    if (scaling !== null) lookUp("STFT", "scaling", scaling, { density: 1, spectrum: 1 });
    super({ side, window, scaling, periodic });
  }
  protected override initialize(): neutral.Initialize {
    const { side, window, scaling, periodic } = this.config;
    return neutral.fourierInitializer({
      side: side as "real" | "imag",
      window: window as neutral.WindowName | null,
      scaling: scaling as "density" | "spectrum" | null,
      periodic: periodic as boolean,
    });
  }
}

export { Identity as IdentityInitializer, Orthogonal as OrthogonalInitializer, STFT as STFTInitializer };

export interface VarianceScalingOptions extends SeedOptions {
  readonly scale?: number;
  readonly mode?: neutral.FanMode;
  readonly distribution?: neutral.ScalingDistribution | "normal";
}

export class VarianceScaling extends Initializer {
  constructor(options: VarianceScalingOptions = {}) {
    checkOptions("VarianceScaling", options, ["scale", "mode", "distribution", "seed"]);
    const { scale = 1, mode = "fan_in", distribution = "truncated_normal", seed = null } = options;
    if (!["fan_in", "fan_out", "fan_avg"].includes(mode)) {
      throw new ArgumentError(`VarianceScaling: mode must be fan_in, fan_out or fan_avg, received "${mode}".`);
    }
    const kinds = {
      normal: "truncated_normal",
      truncated_normal: "truncated_normal",
      untruncated_normal: "untruncated_normal",
      uniform: "uniform",
    };
    super({ scale, mode, distribution: lookUp("VarianceScaling", "distribution", distribution, kinds), seed });
  }
  protected override initialize(): neutral.Initialize {
    const { scale, mode, distribution } = this.config;
    return neutral.varianceScaling({
      scale: scale as number,
      mode: mode as neutral.FanMode,
      distribution: distribution as neutral.ScalingDistribution,
    });
  }
}

/** Initialisers whose only option is the seed. */
abstract class SeededInitializer extends Initializer {
  constructor(options: SeedOptions = {}) {
    checkOptions(new.target.name, options, ["seed"]);
    super({ seed: options.seed ?? null });
  }
}
export class GlorotUniform extends SeededInitializer {
  protected override initialize(): neutral.Initialize {
    return neutral.glorotUniform;
  }
}
export class GlorotNormal extends SeededInitializer {
  protected override initialize(): neutral.Initialize {
    return neutral.glorotNormal;
  }
}
export class HeUniform extends SeededInitializer {
  protected override initialize(): neutral.Initialize {
    return neutral.heUniform;
  }
}
export class HeNormal extends SeededInitializer {
  protected override initialize(): neutral.Initialize {
    return neutral.heNormal;
  }
}
export class LecunUniform extends SeededInitializer {
  protected override initialize(): neutral.Initialize {
    return neutral.lecunUniform;
  }
}
export class LecunNormal extends SeededInitializer {
  protected override initialize(): neutral.Initialize {
    return neutral.lecunNormal;
  }
}

/** Names that strings may have. */
export type InitializerName =
  | "zeros"
  | "ones"
  | "constant"
  | "identity"
  | "random_uniform"
  | "random_normal"
  | "truncated_normal"
  | "variance_scaling"
  | "orthogonal"
  | "stft"
  | "glorot_uniform"
  | "glorot_normal"
  | "he_uniform"
  | "he_normal"
  | "lecun_uniform"
  | "lecun_normal";

/** What an argument such as `kernelInitializer` takes. */
export type InitializerLike = InitializerName | Initializer;

/** A serialised initialiser: its class and configuration. */
export type SerializedInitializer = Serialized;

const names: Readonly<Record<InitializerName, () => Initializer>> = {
  zeros: () => new Zeros(),
  ones: () => new Ones(),
  constant: () => new Constant(),
  identity: () => new Identity(),
  random_uniform: () => new RandomUniform(),
  random_normal: () => new RandomNormal(),
  truncated_normal: () => new TruncatedNormal(),
  variance_scaling: () => new VarianceScaling(),
  orthogonal: () => new Orthogonal(),
  stft: () => new STFT(),
  glorot_uniform: () => new GlorotUniform(),
  glorot_normal: () => new GlorotNormal(),
  he_uniform: () => new HeUniform(),
  he_normal: () => new HeNormal(),
  lecun_uniform: () => new LecunUniform(),
  lecun_normal: () => new LecunNormal(),
};

const registry = new Registry<Initializer>({
  kind: "an initializer",
  base: Initializer,
  classes: {
    ...constructing<Initializer>({
      Zeros,
      Ones,
      Constant: Constant as new (options: { value?: number }) => Initializer,
      Identity,
      RandomUniform,
      RandomNormal,
      TruncatedNormal,
      VarianceScaling,
      Orthogonal,
      GlorotUniform,
      GlorotNormal,
      HeUniform,
      HeNormal,
      LecunUniform,
      LecunNormal,
    }),
    // null is a choice here, not the default
    STFT: (config) => new STFT(config as STFTOptions),
  },
  names,
});

/** The initialiser that a name, an instance or a serialised form stands for. */
export function get(identifier: InitializerLike | SerializedInitializer, owner = "initializers.get"): Initializer {
  return registry.get(identifier, owner);
}

/** What `get` makes the same initialiser of. */
export function serialize(initializer: Initializer): SerializedInitializer {
  return registry.serialize(initializer);
}
