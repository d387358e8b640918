/** Cells on top of each other, and cells from saved configurations. */
import { ArgumentError } from "../../errors.ts";
import { type RecurrentCell, stackedCell } from "../../nn/recurrent-cells.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { customClass } from "../custom-objects.ts";
import type { LayerOptions } from "../layer.ts";
import { lookUp } from "../options.ts";
import { revivedOptions } from "../revive.ts";
import { AbstractRNNCell, type CellCallOptions, checkStates } from "./abstract-cell.ts";
import { nestedConfig } from "./nested-config.ts";
import { GRUCell, LSTMCell, SimpleRNNCell } from "./recurrent-cells.ts";

/** Cells on top of each other as one cell; the states of all lie in one list, from the lowest up. After keras.layers.StackedRNNCells. */
export class StackedRNNCells extends AbstractRNNCell {
  readonly cells: readonly AbstractRNNCell[];

  constructor(cells: readonly AbstractRNNCell[], options: LayerOptions = {}) {
    super(options);
    if (!Array.isArray(cells) || cells.length === 0 || !cells.every((cell) => cell instanceof AbstractRNNCell)) {
      throw new ArgumentError(`${this.className} "${this.name}": expected a list of cells.`);
    }
    this.cells = [...cells];
  }
  override get stateSize(): readonly number[] {
    return this.cells.flatMap(({ stateSizes }) => stateSizes);
  }
  override get outputSize(): number {
    return this.cells[this.cells.length - 1].outputSize;
  }
  override getInitialState(batchSize: number): Tensor[] {
    return this.cells.flatMap((cell) => cell.getInitialState(batchSize));
  }
  override build([batch, ...features]: BatchShape): void {
    let width: BatchShape = features;
    for (const cell of this.cells) {
      cell.buildFor([batch, ...width]);
      width = [cell.outputSize];
    }
  }
  override inLoop(training: boolean): RecurrentCell {
    return stackedCell(this.cells.map((cell) => cell.inLoop(training)));
  }
  override call(inputs: Tensor, { states, training = false }: CellCallOptions): readonly Tensor[] {
    const cell = this.inLoop(training);
    checkStates(this, states);
    return cell.step(cell.project(inputs), states);
  }
  static fromConfig({ cells, ...options }: Config): StackedRNNCells {
    return new StackedRNNCells((cells as readonly Config[]).map(cellFromConfig), options as LayerOptions);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), cells: this.cells.map(nestedConfig) };
  }
}

const classes = { SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells };

/** A cell from `nestedConfig(cell)`. */
export function cellFromConfig({ className, registeredName, config }: Config): AbstractRNNCell {
  const own = customClass(String(registeredName ?? className));
  if (own) {
    const made = own.fromConfig
      ? own.fromConfig(config as Config)
      : new (own as unknown as new (options: Config) => unknown)(config as Config);
    if (made instanceof AbstractRNNCell) return made;
    throw new ArgumentError(`${String(className)} is not a cell: it must extend AbstractRNNCell.`);
  }
  const type = lookUp("deserialize", "cell", String(className), classes);
  if (type === StackedRNNCells) return StackedRNNCells.fromConfig(config as Config);
  const { units, ...options } = revivedOptions(config as Config);
  return new (type as typeof LSTMCell)(units as number, options);
}
