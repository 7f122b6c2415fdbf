/**
 * Which way the imports of src/ flow: down this list, never up, and in no circle, types included.
 *
 * Each entry is one room (a folder) or a module at the top of src/; those of one line do not import each other.
 */
const ROOMS = [
  ['index.ts'],
  ['plugins/'],
  ['commands.ts', 'notices/'],
  ['panel/'],
  ['status/', 'audit/', 'receipts/', 'cells/'],
  ['decisions/'],
  ['widgets/'],
  ['state/'],
  ['tokens.ts'],
  ['server/'],
  ['words/'],
  ['protocol/'],
  ['icons.ts', 'svg.d.ts']
];

/** The sections are made of what is drawn around them, never the other way: all know is their list. */
const WITHIN = [
  {
    name: 'panel-frame-knows-no-section',
    severity: 'error',
    from: { path: '^src/panel/[^/]+$', pathNot: '^src/panel/sections\\.ts$' },
    to: { path: '^src/panel/(sections/|sections\\.ts)' }
  }
];

const pattern = names =>
  `^src/(${names.map(name => name.replaceAll('.', '\\.') + (name.endsWith('/') ? '' : '$')).join('|')})`;

/** Nothing in a room may import from a room above it, nor from one beside it. */
const directions = ROOMS.flat().map(name => {
  const depth = ROOMS.findIndex(line => line.includes(name));
  const barred = ROOMS.slice(0, depth + 1)
    .flat()
    .filter(other => other !== name);
  return {
    name: `no-arrow-up-from-${name.replace(/\/|\.d?\.?ts$/g, '')}`,
    severity: 'error',
    from: { path: pattern([name]) },
    to: { path: pattern(barred) }
  };
});

export default {
  forbidden: [
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'no-module-outside-the-rooms',
      severity: 'error',
      from: { path: '^src/', pathNot: `__tests__/|${pattern(ROOMS.flat())}` },
      to: {}
    },
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: { pathNot: '__tests__/' },
      to: { path: '__tests__/' }
    },
    {
      name: 'no-orphan',
      severity: 'error',
      from: { orphan: true, pathNot: ['__tests__/', '\\.d\\.ts$'] },
      to: {}
    },
    ...directions.filter(({ to }) => to.path !== '^src/()'),
    ...WITHIN
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules|\\.svg$' },
    // Types too: an arrow that the compiler removes misleads a reader all the same.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' }
  }
};
