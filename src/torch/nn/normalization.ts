/** Normalisation layers. */
import { ArgumentError, ShapeError } from "../../errors.ts";
import { formatShape } from "../../graph/shape.ts";
import { ones, type Tensor, type Variable, zeros } from "../../tensor/index.ts";
import * as F from "./functional/index.ts";
import { layerName, Module } from "./module.ts";
import { pythonText } from "./module-text.ts";
import { Buffer, Parameter } from "./parameter.ts";

export interface BatchNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** How far running statistics move towards the batch's (default 0.1); null for the mean over all batches. */
  readonly momentum?: number | null;
  /** Whether a factor and a shift for each channel are trained. */
  readonly affine?: boolean;
  /** Whether running statistics are kept, which `eval()` uses. */
  readonly trackRunningStats?: boolean;
  /** Whether the shift is there (default as `affine`). */
  readonly bias?: boolean;
}

/** What the normalisations with running statistics share. */
abstract class RunningNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  running_mean: Variable | null = null;
  running_var: Variable | null = null;
  num_batches_tracked: Variable | null = null;

  constructor(numFeatures: number, options: BatchNormOptions, defaults: { affine: boolean; track: boolean }) {
    super();
    const owner = this.constructor.name;
    if (!Number.isInteger(numFeatures) || numFeatures < 1)
      throw new ArgumentError(`${owner}: numFeatures must be an integer of 1 or more, received ${numFeatures}.`);
    const { eps = 1e-5, momentum = 0.1, affine = defaults.affine, trackRunningStats = defaults.track } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    this.weight = affine ? new Parameter(ones([numFeatures]), { name: `${owner}.weight` }) : null;
    const shifts = affine && (options.bias ?? true);
    this.bias = shifts ? new Parameter(zeros([numFeatures]), { name: `${owner}.bias` }) : null;
    if (trackRunningStats) {
      this.registerBuffer("running_mean", new Buffer(zeros([numFeatures]), { name: `${owner}.running_mean` }));
      this.registerBuffer("running_var", new Buffer(ones([numFeatures]), { name: `${owner}.running_var` }));
      const batches = new Buffer(zeros([], "i32"), { name: `${owner}.num_batches_tracked` });
      this.registerBuffer("num_batches_tracked", batches);
    }
  }

  /** Ranks that an input may have. */
  protected abstract readonly ranks: readonly number[];
  protected abstract readonly form: string;

  protected check(x: Tensor, channelAxis = 1): void {
    if (this.ranks.includes(x.rank) && x.shape[channelAxis] === this.numFeatures) return;
    throw new ShapeError(
      `${layerName(this)}: expected an input of shape ${this.form} with ${this.numFeatures} channels, received ${formatShape(x.shape)}.`,
    );
  }
  /** Running statistics as they are at the start. */
  resetRunningStats(): void {
    this.running_mean?.assign(zeros([this.numFeatures]));
    this.running_var?.assign(ones([this.numFeatures]));
    this.num_batches_tracked?.assign(zeros([], "i32"));
  }
  override extraRepr(): string {
    return (
      `${this.numFeatures}, eps=${pythonText(this.eps)}, momentum=${pythonText(this.momentum)}, affine=${pythonText(this.affine)}, ` +
      `bias=${pythonText(this.bias !== null)}, track_running_stats=${pythonText(this.trackRunningStats)}`
    );
  }
}

abstract class BatchNorm extends RunningNorm {
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super(numFeatures, options, { affine: true, track: true });
  }
  override forward(x: Tensor): Tensor {
    this.check(x);
    return F.batchNorm(
      x,
      this.running_mean,
      this.running_var,
      {
        weight: this.weight,
        bias: this.bias,
        eps: this.eps,
        momentum: this.momentum,
        training: this.training || !this.running_mean,
        numBatchesTracked: this.num_batches_tracked,
      },
      layerName(this),
    );
  }
}

/**
 * Normalises each channel of images (N, C, H, W) by the batch's statistics in training and by running ones after `eval()`: normalisation uses the
 * variance of the batch, the running variance its estimate with n − 1. After torch.nn.BatchNorm2d (Ioffe and Szegedy, 2015).
 */
export class BatchNorm2d extends BatchNorm {
  protected override get ranks(): readonly number[] {
    return [4];
  }
  protected override get form(): string {
    return "(batch, channels, height, width)";
  }
}

/** Normalises each feature of (N, C), or each channel of (N, C, L). After torch.nn.BatchNorm1d. */
export class BatchNorm1d extends BatchNorm {
  protected override get ranks(): readonly number[] {
    return [2, 3];
  }
  protected override get form(): string {
    return "(batch, channels) or (batch, channels, length)";
  }
}

abstract class InstanceNorm extends RunningNorm {
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super(numFeatures, options, { affine: false, track: false });
  }
  override forward(x: Tensor): Tensor {
    const batched = x.rank === this.ranks[1];
    this.check(x, batched ? 1 : 0);
    const images = batched ? x : x.unsqueeze(0);
    const output = F.instanceNorm(
      images,
      this.running_mean,
      this.running_var,
      {
        weight: this.weight,
        bias: this.bias,
        eps: this.eps,
        momentum: this.momentum,
        useInputStats: this.training || !this.running_mean,
      },
      layerName(this),
    );
    return batched ? output : output.squeeze(0);
  }
}

/** Normalises each channel of each image by its own statistics. After torch.nn.InstanceNorm2d (Ulyanov et al., 2016). */
export class InstanceNorm2d extends InstanceNorm {
  protected override get ranks(): readonly number[] {
    return [3, 4];
  }
  protected override get form(): string {
    return "(batch, channels, height, width) or (channels, height, width)";
  }
}

/** Normalises each channel of each sequence by its own statistics. After torch.nn.InstanceNorm1d. */
export class InstanceNorm1d extends InstanceNorm {
  protected override get ranks(): readonly number[] {
    return [2, 3];
  }
  protected override get form(): string {
    return "(batch, channels, length) or (channels, length)";
  }
}

export interface LayerNormOptions {
  readonly eps?: number;
  /** Whether a factor and a shift for each element are trained. */
  readonly elementwiseAffine?: boolean;
  readonly bias?: boolean;
}

/** Normalises over the last axes, which have the sizes `normalizedShape`. After torch.nn.LayerNorm (Ba, Kiros and Hinton, 2016). */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    const shape = this.normalizedShape;
    this.weight = elementwiseAffine ? new Parameter(ones(shape), { name: "LayerNorm.weight" }) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(shape), { name: "LayerNorm.bias" }) : null;
  }
  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return F.layerNorm(x, this.normalizedShape, { weight, bias, eps }, layerName(this));
  }
  override extraRepr(): string {
    return (
      `${pythonText(this.normalizedShape)}, eps=${pythonText(this.eps)}, elementwise_affine=${pythonText(this.elementwiseAffine)}, ` +
      `bias=${pythonText(this.bias !== null)}`
    );
  }
}

/** x / √(mean x² + ε) · weight over the last axes. After torch.nn.RMSNorm (Zhang and Sennrich, 2019). */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  constructor(
    normalizedShape: number | readonly number[],
    options: { readonly eps?: number | null; readonly elementwiseAffine?: boolean } = {},
  ) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? null;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    const weight = (): Parameter => new Parameter(ones(this.normalizedShape), { name: "RMSNorm.weight" });
    this.weight = this.elementwiseAffine ? weight() : null;
  }
  override forward(x: Tensor): Tensor {
    return F.rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps }, layerName(this));
  }
  override extraRepr(): string {
    return `${pythonText(this.normalizedShape)}, eps=${pythonText(this.eps)}, elementwise_affine=${pythonText(this.elementwiseAffine)}`;
  }
}

/** Normalises the channels of (N, C, …) in groups, example by example. After torch.nn.GroupNorm (Wu and He, 2018). */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  constructor(
    numGroups: number,
    numChannels: number,
    options: { readonly eps?: number; readonly affine?: boolean; readonly bias?: boolean } = {},
  ) {
    super();
    if (!Number.isInteger(numGroups) || numGroups < 1 || numChannels % numGroups !== 0) {
      throw new ArgumentError(`GroupNorm: ${numChannels} channels cannot be split into ${numGroups} groups.`);
    }
    const { eps = 1e-5, affine = true, bias = true } = options;
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? new Parameter(ones([numChannels]), { name: "GroupNorm.weight" }) : null;
    this.bias = affine && bias ? new Parameter(zeros([numChannels]), { name: "GroupNorm.bias" }) : null;
  }
  override forward(x: Tensor): Tensor {
    if (x.rank < 2 || x.shape[1] !== this.numChannels) {
      throw new ShapeError(
        `${layerName(this)}: expected an input of shape (batch, ${this.numChannels}, …), received ${formatShape(x.shape)}.`,
      );
    }
    const { weight, bias, eps } = this;
    return F.groupNorm(x, this.numGroups, { weight, bias, eps }, layerName(this));
  }
  override extraRepr(): string {
    return (
      `${this.numGroups}, ${this.numChannels}, eps=${pythonText(this.eps)}, affine=${pythonText(this.affine)}, ` +
      `bias=${pythonText(this.bias !== null)}`
    );
  }
}
