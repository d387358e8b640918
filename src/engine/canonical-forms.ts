import type { BuiltProgram } from "../graph/build-program.ts";
import { type CanonicalProgram, canonicalProgram } from "../schedule/canonical.ts";

/** Bytes of keys that are remembered; the oldest go first. */
const keyLimit = 64 * 1024 * 1024;

/** Remembers the canonical form of each program that was built, so that a repeated program costs one look-up. */
export class CanonicalForms {
  private readonly forms = new Map<string, CanonicalProgram>();
  private keyBytes = 0;

  /** The program in canonical form, with its leaves in the order of its inputs. */
  of(built: BuiltProgram): BuiltProgram {
    const { key } = built.program;
    let form = this.forms.get(key);
    if (!form) {
      form = canonicalProgram(built.program);
      this.forms.set(key, form);
      this.keyBytes += key.length;
      for (const oldest of this.forms.keys()) {
        if (this.keyBytes <= keyLimit) break;
        this.forms.delete(oldest);
        this.keyBytes -= oldest.length;
      }
    }
    if (form.program === built.program) return built;
    return { ...built, program: form.program, leaves: form.inputs.map((input) => built.leaves[input]) };
  }
}
