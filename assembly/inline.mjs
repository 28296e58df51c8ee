// A transform of asc: functions whose doc comment says `@inline` are inlined wherever they are called, as asc's decorator of that name
// would have it, which neither tsc nor Biome can read. Those of the packet's path are marked; asc's own inlining leaves the rest alone,
// so that what happens once a connection, or once a load, exists once in the core.

/** DecoratorFlags.Inline of the compiler. */
const INLINE = 64;

const MARKED = /\/\*\*(?:(?!\*\/)[\s\S])*@inline\b(?:(?!\*\/)[\s\S])*\*\/\s*(?:export\s+)?function\s+(\w+)/g;

export function afterInitialize(program) {
  for (const source of program.sources) {
    for (const [, name] of source.text.matchAll(MARKED)) {
      const prototype = program.elementsByName.get(`${source.internalPath}/${name}`);
      if (prototype === undefined) throw new Error(`${source.normalizedPath}: no function ${name} to inline`);
      prototype.decoratorFlags |= INLINE;
    }
  }
}
