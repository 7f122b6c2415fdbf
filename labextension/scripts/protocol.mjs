/**
 * Generates the REST API's part of `src/protocol/` from `openapi.yaml`: the types of all bodies (by openapi-typescript),
 * and a guard for each body that the server sends.
 *
 *     npm run protocol              write the files that are out of date
 *     npm run protocol -- --check   fail if a file is out of date
 *
 * The guards are calls of the small functions in `src/protocol/guards.ts`: compiled validators were measured at 10 to 18 kB
 * in the bundle, these at 4. They reject a body in which a field is missing or has another type, and accept one that has
 * more fields than the document: so an older page understands a newer server.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import prettier from 'prettier';
import { parse } from 'yaml';

const DOCUMENT = new URL(
  '../../aumos_governance/server/openapi.yaml',
  import.meta.url
);
const PROTOCOL = new URL('../src/protocol/', import.meta.url);
const HEAD =
  '// Made by `npm run protocol` from aumos_governance/server/openapi.yaml; edit that.\n\n';

/** The generated files by name, as text. */
async function protocolFiles() {
  const text = readFileSync(DOCUMENT, 'utf8');
  const document = parse(text);
  // The clients in `src/server/` contain the endpoints themselves and need only the bodies.
  const types = await openapiTS(
    {
      openapi: document.openapi,
      info: document.info,
      paths: {},
      components: { schemas: document.components.schemas }
    },
    { immutable: true, emptyObjectsUnknown: true }
  );
  return {
    'openapi.ts': await formatted(HEAD + astToString(types)),
    'bodies.ts': await formatted(HEAD + guards(document))
  };
}

/** The module of the guards. */
function guards({ paths, components }) {
  const sent = new Set();
  const visit = node => {
    if (typeof node !== 'object' || node === null) {
      return;
    }
    const [, kind, name] =
      /^#\/components\/(\w+)\/(\w+)$/.exec(node.$ref ?? '') ?? [];
    if (kind === 'schemas') {
      if (!sent.has(name)) {
        visit(components.schemas[name]);
        // After the guards that it uses.
        sent.add(name);
      }
    } else if (kind) {
      visit(components[kind][name]);
    }
    Object.values(node).forEach(visit);
  };
  for (const operations of Object.values(paths)) {
    for (const { responses } of Object.values(operations)) {
      visit(responses);
    }
  }
  const bodies = [...sent].map(name => {
    const guard = guardOf(components.schemas[name]);
    return `export const is${name}: Guard<Schemas['${name}']> = /* @__PURE__ */ ${guard};`;
  });
  const code = bodies.join('\n\n');
  const used = [
    'both',
    'isBoolean',
    'isCount',
    'isInteger',
    'isListOf',
    'isMapOf',
    'isMatch',
    'isNullOr',
    'isObject',
    'isOneOf',
    'isRecord',
    'isString',
    'isTime',
    'whenever'
  ].filter(name => new RegExp(`\\b${name}\\b`).test(code));
  return [
    `import { type Guard, ${used.join(', ')} } from './guards';`,
    "import type { components } from './openapi';",
    '',
    "type Schemas = components['schemas'];",
    '',
    code
  ].join('\n');
}

/** The expression of a guard. */
function guardOf(schema) {
  if (schema.$ref) {
    return `is${schema.$ref.split('/').at(-1)}`;
  }
  if (schema.anyOf) {
    return nullable(
      schema.anyOf,
      ({ type }) => type === 'null',
      ([only, ...others]) =>
        others.length === 0 ? guardOf(only) : unknown(schema)
    );
  }
  if (schema.enum) {
    return nullable(
      schema.enum,
      word => word === null,
      words => `isOneOf(${JSON.stringify(words)})`
    );
  }
  if (Array.isArray(schema.type)) {
    return nullable(
      schema.type,
      type => type === 'null',
      ([type]) => guardOf({ ...schema, type })
    );
  }
  switch (schema.type) {
    case 'string':
      return schema.format
        ? 'isTime'
        : schema.pattern
          ? `isMatch(/${schema.pattern}/)`
          : 'isString';
    case 'boolean':
      return 'isBoolean';
    case 'integer':
      return schema.minimum >= 0 ? 'isCount' : 'isInteger';
    case 'array':
      return `isListOf(${guardOf(schema.items)})`;
    case 'object':
      return objectOf(schema);
    default:
      return unknown(schema);
  }
}

function objectOf({
  properties,
  required = [],
  additionalProperties,
  ...rest
}) {
  if (!properties) {
    return additionalProperties
      ? `isMapOf(${guardOf(additionalProperties)})`
      : 'isRecord';
  }
  const members = Object.entries(properties)
    // A schema without a type allows anything.
    .filter(([, schema]) =>
      Object.keys(schema).some(key => key !== 'description')
    )
    .map(([name, schema]) =>
      required.includes(name)
        ? `${name}: ${guardOf(schema)}`
        : unknown({ properties, required })
    );
  const object = `isObject({ ${members.join(', ')} })`;
  return rest.if
    ? `both(${object}, whenever(${JSON.stringify(conditionOf(rest.if))}, ${objectOf(rest.then)}))`
    : object;
}

/** A condition that one property has one value: its name and the value. */
function conditionOf({ properties }) {
  const [[name, schema], ...others] = Object.entries(properties);
  if (others.length > 0 || !('const' in schema)) {
    unknown({ properties });
  }
  return [name, schema.const];
}

function nullable(choices, isNull, guard) {
  const others = choices.filter(choice => !isNull(choice));
  return others.length < choices.length
    ? `isNullOr(${guard(others)})`
    : guard(others);
}

function unknown(schema) {
  throw new Error(`No guard can be made of ${JSON.stringify(schema)}.`);
}

async function formatted(text) {
  const options = await prettier.resolveConfig(new URL('x.ts', PROTOCOL));
  return prettier.format(text, { ...options, parser: 'typescript' });
}

const stale = Object.entries(await protocolFiles()).filter(([name, text]) => {
  const file = new URL(name, PROTOCOL);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});
if (!process.argv.includes('--check')) {
  for (const [name, text] of stale) {
    writeFileSync(new URL(name, PROTOCOL), text);
  }
} else if (stale.length > 0) {
  console.error(
    `src/protocol/ is not what openapi.yaml makes (${stale.map(([name]) => name).join(', ')}): "npm run protocol" makes it anew.`
  );
  process.exitCode = 1;
}
