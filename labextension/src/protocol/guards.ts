/**
 * The functions from which the generated guards in `bodies.ts` are composed. A guard checks that parsed JSON has the
 * expected type.
 */

/** Returns whether a value has the type `T`, and narrows it to that. */
export type Guard<T> = (value: unknown) => value is T;

/** Returns whether a value meets a condition, without narrowing its type. */
type Check = (value: unknown) => boolean;

/** Whether a value is an object and not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Whether a value is an integer that is not negative. */
export function isCount(value: unknown): value is number {
  return isInteger(value) && value >= 0;
}

/** Whether a value is a string with a date and time in ISO 8601. */
export function isTime(value: unknown): value is string {
  return isString(value) && !Number.isNaN(Date.parse(value));
}

/** Return a guard for strings that match a pattern. */
export function isMatch(pattern: RegExp): Guard<string> {
  return (value): value is string => isString(value) && pattern.test(value);
}

/** Return a guard for strings that are among the given ones. */
export function isOneOf<T extends string>(words: readonly T[]): Guard<T> {
  return (value): value is T => (words as readonly unknown[]).includes(value);
}

export function isNullOr<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

/** Return a guard for arrays whose entries all pass the given guard. */
export function isListOf<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(guard);
}

/** Return a guard for objects with any member names whose values all pass the given guard. */
export function isMapOf<T>(guard: Guard<T>): Guard<Record<string, T>> {
  return (value): value is Record<string, T> =>
    isRecord(value) && Object.values(value).every(guard);
}

/** Return a guard for objects whose members with the given names each pass their check; other members are ignored. */
export function isObject<T>(
  members: Readonly<Record<string, Check>>
): Guard<T> {
  const checks = Object.entries(members);
  return (value): value is T =>
    isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

/** Return a guard for values that pass both the given guard and the given check. */
export function both<T>(guard: Guard<T>, check: Check): Guard<T> {
  return (value): value is T => guard(value) && check(value);
}

/**
 * Return a check that applies `check` only to objects in which the member `name` equals `value`; other objects pass.
 * For example, `budget` must be an amount whenever `active` is true.
 */
export function whenever(
  [name, value]: readonly [string, unknown],
  check: Check
): Check {
  return body => isRecord(body) && (body[name] !== value || check(body));
}
