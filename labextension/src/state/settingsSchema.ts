import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

/** The texts of a schema that the settings editor shows. */
const WORDS = ['title', 'description'];

/**
 * Translate the texts of a settings schema, in place.
 *
 * #### Notes
 * The server does so too, but only with language packs, and not with the catalogue of this package.
 */
export function translateSchema(
  schema: ISettingRegistry.ISchema,
  trans: TranslationBundle
): void {
  translate(schema, trans);
}

function translate(node: object, trans: TranslationBundle): void {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === 'string' && WORDS.includes(key)) {
      // The strings are extracted from the schema, not from here.
      (node as Record<string, string>)[key] = trans.gettext(value);
    } else if (PARTS.includes(key) && typeof value === 'object' && value) {
      for (const part of Object.values(value as Record<string, object>)) {
        translate(part, trans);
      }
    }
  }
}

/** The keys under which a schema contains others. */
const PARTS = ['properties', 'oneOf'];
