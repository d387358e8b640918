/** Dtypes by TensorFlow's names. */
export const float32 = "float32";
export const int32 = "int32";
/** Whole numbers have 32 bits here. */
export const int64 = "int32";
export const uint8 = "uint8";
export const bool = "bool";
