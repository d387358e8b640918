import type {
  Address,
  Condition,
  Instruction,
  IntRegister,
  Kernel,
  Statement,
  VectorRegister,
} from "../../../kernel/ir.ts";

/** What the lowering wants to know of a kernel before it starts. Arrays are indexed by register id. */
export interface KernelAnalysis {
  /** One more than the largest register id. */
  readonly registerCount: number;
  /** Number of instructions (and loops) that assign a register. */
  readonly intDefinitions: Uint32Array;
  readonly vectorDefinitions: Uint32Array;
  /** Number of operands that read a register. */
  readonly intUses: Uint32Array;
  readonly vectorUses: Uint32Array;
  /** All lanes are always equal, so one machine register serves for all of them. */
  readonly uniform: readonly boolean[];
  /** Always a mask, and used as nothing else: it can live in a mask register. */
  readonly maskOnly: readonly boolean[];
  /** Bits of a register whose one definition is a constant. */
  readonly constantBits: readonly (number | undefined)[];
}

const floatWord = new Float32Array(1);
const floatBits = new Int32Array(floatWord.buffer);

/** The 32 bits of a vector constant. */
export function constantBits(value: number, type: "f32" | "i32"): number {
  if (type === "i32") return value | 0;
  floatWord[0] = value;
  return floatBits[0];
}

export const isComparison = (name: string): boolean =>
  name === "flt" || name === "fle" || name === "feq" || name === "fne" || name === "ilt" || name === "ieq";
export const isLogic = (name: string): boolean =>
  name === "and" || name === "or" || name === "xor" || name === "andnot";

export function analyzeKernel(kernel: Kernel): KernelAnalysis {
  const walk = new Walk();
  walk.block(kernel.body);
  return {
    registerCount: walk.capacity,
    intDefinitions: walk.intDefinitions,
    vectorDefinitions: walk.vectorDefinitions,
    intUses: walk.intUses,
    vectorUses: walk.vectorUses,
    uniform: findUniform(walk),
    maskOnly: walk.hasComparison ? findMaskOnly(walk) : [],
    constantBits: walk.constants,
  };
}

class Walk {
  /** Every register has been assigned before it is used, so that only assignments have to grow the counts. */
  capacity = 256;
  intDefinitions = new Uint32Array(this.capacity);
  vectorDefinitions = new Uint32Array(this.capacity);
  intUses = new Uint32Array(this.capacity);
  vectorUses = new Uint32Array(this.capacity);
  readonly constants: (number | undefined)[] = [];
  /** Instructions that assign a vector register. */
  readonly writers: (Instruction & { readonly target: VectorRegister })[] = [];
  /** Registers used where lanes have to be a vector. */
  readonly vectorContext: number[] = [];
  readonly transposed: number[] = [];
  hasComparison = false;

  block(statements: readonly Statement[]): void {
    for (let at = 0; at < statements.length; at++) this.statement(statements[at]);
  }

  private statement(s: Statement): void {
    switch (s.op) {
      case "intConstant":
      case "argument":
      case "task":
      case "scratch":
        this.define(s.target);
        return;
      case "intMove":
        this.use(s.source);
        this.define(s.target);
        return;
      case "intBinary":
        this.use(s.left);
        if (typeof s.right !== "number") this.use(s.right);
        this.define(s.target);
        return;
      case "address":
      case "intLoad":
        this.address(s.address);
        this.define(s.target);
        return;
      case "intStore":
        this.address(s.address);
        this.use(s.source);
        return;
      case "vectorConstant":
        this.constants[s.target.id] =
          (this.vectorDefinitions[s.target.id] ?? 0) === 0 ? constantBits(s.value, s.type) : undefined;
        this.write(s);
        return;
      case "laneIndex":
        this.write(s);
        return;
      case "splatInt":
        this.use(s.source);
        this.write(s);
        return;
      case "broadcastLoad":
        this.address(s.address);
        this.write(s);
        return;
      case "load":
        this.address(s.address);
        if (s.mask !== undefined) this.useMask(s.mask);
        this.write(s);
        return;
      case "store":
        this.address(s.address);
        if (s.mask !== undefined) this.useMask(s.mask);
        this.useVector(s.source);
        return;
      case "gather":
        this.use(s.base);
        this.useVector(s.indices);
        if (s.mask !== undefined) this.useMask(s.mask);
        this.write(s);
        return;
      case "fma":
      case "fnma":
        this.useVector(s.a);
        this.useVector(s.b);
        this.useVector(s.target);
        this.write(s);
        return;
      case "vectorBinary":
        if (isComparison(s.function)) this.hasComparison = true;
        if (isLogic(s.function)) {
          // Whether these may be masks depends on the target; `findMaskOnly` decides.
          this.useMask(s.left);
          this.useMask(s.right);
        } else {
          this.useVector(s.left);
          this.useVector(s.right);
        }
        this.write(s);
        return;
      case "shiftConstant":
      case "vectorUnary":
      case "horizontal":
        this.useVector(s.source);
        this.write(s);
        return;
      case "select":
        this.useMask(s.mask);
        this.useVector(s.left);
        this.useVector(s.right);
        this.write(s);
        return;
      case "transpose":
        for (const register of s.registers) {
          this.useVector(register);
          this.vectorDefinitions[register.id]++;
          this.constants[register.id] = undefined;
          this.transposed.push(register.id);
        }
        return;
      case "prefetch":
        this.address(s.address);
        return;
      case "loop":
        if (typeof s.start !== "number") this.use(s.start);
        if (typeof s.end !== "number") this.use(s.end);
        this.define(s.counter);
        this.block(s.body);
        return;
      case "while":
        this.condition(s.condition);
        this.block(s.body);
        return;
      case "if":
        this.condition(s.condition);
        this.block(s.body);
        this.block(s.otherwise);
        return;
    }
  }

  private grow(id: number): void {
    this.capacity = Math.max(this.capacity * 2, id + 1);
    const larger = (counts: Uint32Array): Uint32Array<ArrayBuffer> => {
      const copy = new Uint32Array(this.capacity);
      copy.set(counts);
      return copy;
    };
    this.intDefinitions = larger(this.intDefinitions);
    this.vectorDefinitions = larger(this.vectorDefinitions);
    this.intUses = larger(this.intUses);
    this.vectorUses = larger(this.vectorUses);
  }
  private define(register: IntRegister): void {
    if (register.id >= this.capacity) this.grow(register.id);
    this.intDefinitions[register.id]++;
  }
  private use(register: IntRegister): void {
    this.intUses[register.id]++;
  }
  private write(s: Instruction & { readonly target: VectorRegister }): void {
    const id = s.target.id;
    if (id >= this.capacity) this.grow(id);
    this.vectorDefinitions[id]++;
    if (s.op !== "vectorConstant") this.constants[id] = undefined;
    this.writers.push(s);
  }
  private useMask(register: VectorRegister): void {
    this.vectorUses[register.id]++;
  }
  private useVector(register: VectorRegister): void {
    this.useMask(register);
    this.vectorContext.push(register.id);
  }
  private address(address: Address): void {
    this.use(address.base);
    if (address.index !== undefined) this.use(address.index);
  }
  private condition(condition: Condition): void {
    if (condition.kind === "anyLane") this.useMask(condition.mask);
    else {
      this.use(condition.left);
      if (typeof condition.right !== "number") this.use(condition.right);
    }
  }
}

/** Starts from "all are uniform" and takes away until nothing changes. */
function findUniform(walk: Walk): boolean[] {
  const uniform: boolean[] = [];
  for (const writer of walk.writers) uniform[writer.target.id] = true;
  for (const id of walk.transposed) uniform[id] = false;
  let candidates: readonly (Instruction & { readonly target: VectorRegister })[] = walk.writers;
  for (let before = -1; candidates.length !== before; ) {
    before = candidates.length;
    candidates = candidates.filter((writer) => {
      const id = writer.target.id;
      uniform[id] &&= isUniform(writer, uniform);
      return uniform[id];
    });
  }
  return uniform;
}

function isUniform(s: Instruction, uniform: readonly boolean[]): boolean {
  switch (s.op) {
    case "vectorConstant":
    case "splatInt":
    case "broadcastLoad":
    case "horizontal":
      return true;
    case "fma":
    case "fnma":
      return uniform[s.a.id] && uniform[s.b.id];
    case "vectorBinary":
      return uniform[s.left.id] && uniform[s.right.id];
    case "shiftConstant":
    case "vectorUnary":
      return uniform[s.source.id];
    case "select":
      return uniform[s.mask.id] && uniform[s.left.id] && uniform[s.right.id];
    default:
      return false;
  }
}

function findMaskOnly(walk: Walk): boolean[] {
  const maskOnly: boolean[] = [];
  const { writers, vectorContext } = walk;
  for (let at = 0; at < writers.length; at++) {
    const writer = writers[at];
    const id = writer.target.id;
    const makesMask = writer.op === "vectorBinary" && (isComparison(writer.function) || isLogic(writer.function));
    maskOnly[id] = makesMask && maskOnly[id] !== false;
  }
  for (let at = 0; at < vectorContext.length; at++) maskOnly[vectorContext[at]] = false;
  const isConstant = (id: number) => walk.constants[id] === 0 || walk.constants[id] === -1;
  for (let changed = true; changed; ) {
    changed = false;
    const drop = (id: number) => {
      if (!maskOnly[id]) return;
      maskOnly[id] = false;
      changed = true;
    };
    for (let at = 0; at < writers.length; at++) {
      const writer = writers[at];
      if (writer.op !== "vectorBinary" || !isLogic(writer.function)) continue;
      const { target, left, right } = writer;
      const maskInputs = (maskOnly[left.id] || isConstant(left.id)) && (maskOnly[right.id] || isConstant(right.id));
      if (!maskInputs) drop(target.id);
      if (maskOnly[target.id]) continue;
      // A vector result: `and` and `andnot` can take one mask (a zeroing move); anything else needs vectors.
      const masksLeft = writer.function === "and" || writer.function === "andnot";
      if (!masksLeft || maskOnly[right.id]) drop(left.id);
      if (writer.function !== "and" || maskOnly[left.id]) drop(right.id);
    }
  }
  return maskOnly;
}
