import { type BuiltProgram, buildProgram, type RequestedOutput } from "../graph/build-program.ts";
import { KnownPrograms } from "../graph/known-programs.ts";
import { type CanonicalProgram, canonicalProgram } from "../schedule/canonical.ts";

/** Bytes of keys that are remembered; the oldest go first. */
const keyLimit = 64 * 1024 * 1024;

/**
 * Programs in canonical form. A graph that was built before is recognised by a walk; one that is new, or was forgotten, by its key.
 */
export class CanonicalForms {
  private readonly known = new KnownPrograms();
  private readonly forms = new Map<string, CanonicalProgram>();
  private keyBytes = 0;

  /** The program under `outputs` in canonical form, with its leaves in the order of its inputs. */
  build(outputs: readonly RequestedOutput[]): BuiltProgram {
    const found = this.known.find(outputs);
    if (found) return found;
    const built = buildProgram(outputs);
    const form = this.formOf(built);
    this.known.add(outputs, built, form);
    const { computed, recomputed } = built;
    return {
      computed,
      recomputed,
      walked: [],
      program: form.program,
      leaves: form.inputs.map((input) => built.leaves[input]),
    };
  }

  private formOf({ program }: BuiltProgram): CanonicalProgram {
    const { key } = program;
    const known = this.forms.get(key);
    if (known) return known;
    const form = canonicalProgram(program);
    this.forms.set(key, form);
    this.keyBytes += key.length;
    for (const oldest of this.forms.keys()) {
      if (this.keyBytes <= keyLimit) break;
      this.forms.delete(oldest);
      this.keyBytes -= oldest.length;
    }
    return form;
  }
}
