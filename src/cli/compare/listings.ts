/** The programs of this folder as text, for the report: what stands between `#region` and `#endregion` in the modules that run. */
import { sourceOf } from "../package-files.ts";

/** The listings of the report, by the names of their regions. */
export interface Listings {
  readonly kerasArticle: string;
  readonly torchArticle: string;
  readonly fairKeras: string;
  readonly fairTorch: string;
  readonly fairTensorFlow: string;
}

/** The named regions of a source, without their indentation. */
export function regionsOf(source: string): readonly [name: string, text: string][] {
  const regions = source.matchAll(/^( *)\/\/ #region (\w+)\n([\s\S]*?)^ *\/\/ #endregion$/gm);
  return [...regions].map(([, indent, name, lines]) => [
    name!,
    lines!.replaceAll(RegExp(`^${indent}`, "gm"), "").trim(),
  ]);
}

/** Reads the listings. */
export function readListings(): Listings {
  const modules = ["keras-article", "torch-article", "fair"];
  const regions = modules.flatMap((module) => regionsOf(sourceOf(`compare/${module}`)));
  return Object.fromEntries(regions) as unknown as Listings;
}
