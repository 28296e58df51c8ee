// The public API of svcplane: re-exports only.
export { createDataplane, createDataplaneSync } from './dataplane.ts';
export * from './library.ts';
