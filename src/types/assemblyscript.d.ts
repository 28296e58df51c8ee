// The integer names of AssemblyScript, as tsc sees the files of assembly/shared/: plain numbers.
declare type u32 = number;
declare type i32 = number;
declare type bool = boolean;
