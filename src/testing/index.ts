export * from "./allclose.ts";
export * from "./arbitraries.ts";
export * from "./cases.ts";
export * from "./gradient-check.ts";
export * from "./lanes.ts";
export * from "./nodes.ts";
export * from "./ulp.ts";
