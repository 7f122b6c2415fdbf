/**
 * The allowed directions of imports in src/: down this list, never up, and never in a circle, types included.
 *
 * Each entry is a folder or a module at the top of src/; those on one line do not import each other.
 */
const ROOMS = [
  ['index.ts'],
  ['plugins/'],
  ['views.ts'],
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

/** The sections use the panel around them; it imports neither a section nor their list. */
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

/** Nothing in a folder may import from a folder above it, nor from one beside it. */
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
      name: 'no-module-outside-the-folders',
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
    // Types too: an import that the compiler removes still misleads a reader.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' }
  }
};
