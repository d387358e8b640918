/** `keras.models`. */
export { loadModel, modelFromJson } from "./load-model.ts";
export { Model } from "./model.ts";
export { Sequential } from "./sequential.ts";
