// What is worked out once of an object that never changes, and kept for as long as the object lives.

/** The same function, which answers from memory when it is asked for the same object again. */
export function rememberBy<Key extends object, Value>(workOut: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = workOut(key);
    known.set(key, value);
    return value;
  };
}
