import { DataError } from "../errors.ts";

/** A part "..", a beginning at a root or drive, or a NUL: what unpacks a file into a folder would write elsewhere. */
const leaving = /(?:^|[\\/])\.\.(?:[\\/]|$)|^[\\/]|^[A-Za-z]:[\\/]|\0/;

/**
 * Checks the names of the tensors of a saved object, before anything of it is used or written.
 * @throws DataError where one of them tries to leave its folder.
 */
export function checkTensorNames(path: string, tensors: readonly { readonly name: string }[]): void {
  const strange = tensors.find(({ name }) => leaving.test(name));
  if (strange) {
    throw new DataError(`${path}: a tensor is named ${JSON.stringify(strange.name)}, which would leave its folder.`);
  }
}
