import { readFile } from 'node:fs/promises';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // As the labextension's builder does: an imported SVG file is its text.
      name: 'svg-as-text',
      enforce: 'pre',
      async load(id) {
        const [file = ''] = id.split('?');
        if (!file.endsWith('.svg')) {
          return null;
        }
        return `export default ${JSON.stringify(await readFile(file, 'utf8'))}`;
      }
    }
  ],
  test: {
    environment: 'jsdom',
    globals: true,
    include: ['src/**/__tests__/**/*.spec.{ts,tsx}'],
    restoreMocks: true,
    testTimeout: 20_000,
    setupFiles: ['src/__tests__/support/setup.ts'],
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//] } }
  }
});
