import type { Attributes, AttributeValue, Node, TensorType } from "../graph/node.ts";
import { sameAttributes, sameType } from "../graph/same-structure.ts";

/** Applications of one op that are remembered. */
const limit = 256;

/** What one op is known to give for inputs of certain types. */
export class Application {
  readonly op: object;
  readonly inputs: readonly TensorType[];
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** The applications, of any op, that came after this one last time, and before that: the same one may stand at two places of a loop. */
  next: Application | undefined = undefined;
  other: Application | undefined = undefined;

  constructor(op: object, inputs: readonly TensorType[], attributes: Attributes, type: TensorType) {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.type = type;
  }
}

/** The application that was asked for last: in a loop the same ones come in the same order. */
let latest: Application | undefined;

/**
 * Applications of an op that were seen before, so that its shape rule is not asked again, and so that equal nodes share their type and attributes:
 * comparing two graphs then is comparing objects. The attributes are copies, since a caller may change the arrays it passed.
 */
export class Applications {
  private readonly known: Application[] = [];

  /** The application to these inputs; unless it is known, `infer` gives the type of its result. */
  of(
    inputs: readonly Node[],
    attributes: Attributes,
    infer: (inputs: readonly TensorType[], attributes: Attributes) => TensorType,
  ): Application {
    const before = latest;
    if (before !== undefined) {
      const { next, other } = before;
      if (next !== undefined && next.op === this && matches(next, inputs, attributes)) {
        latest = next;
        return next;
      }
      if (other !== undefined && other.op === this && matches(other, inputs, attributes)) {
        latest = other;
        return other;
      }
    }
    const found = this.search(inputs, attributes) ?? this.learn(inputs, attributes, infer);
    if (before) {
      before.other = before.next;
      before.next = found;
    }
    latest = found;
    return found;
  }

  private search(inputs: readonly Node[], attributes: Attributes): Application | undefined {
    for (const application of this.known) if (matches(application, inputs, attributes)) return application;
    return undefined;
  }

  private learn(
    inputs: readonly Node[],
    attributes: Attributes,
    infer: (inputs: readonly TensorType[], attributes: Attributes) => TensorType,
  ): Application {
    const types = inputs.map((input) => input.type);
    const inferred = infer(types, attributes);
    const type = types.includes(inferred) ? inferred : { shape: [...inferred.shape], dtype: inferred.dtype };
    const application = new Application(this, types, copyOf(attributes) as Attributes, type);
    if (this.known.length === limit) this.known.length = 0;
    this.known.push(application);
    return application;
  }
}

function matches(application: Application, inputs: readonly Node[], attributes: Attributes): boolean {
  const types = application.inputs;
  if (types.length !== inputs.length) return false;
  for (let i = 0; i < types.length; i++) if (!sameType(types[i], inputs[i].type)) return false;
  return sameAttributes(application.attributes, attributes);
}

function copyOf(value: AttributeValue): AttributeValue {
  if (typeof value !== "object" || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]));
}
