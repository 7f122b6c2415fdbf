import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Of a schema, what a person reads in the settings editor. */
const WORDS = ['title', 'description'];

/**
 * Put the words of a settings' schema into the language of the page, in place.
 *
 * #### Notes
 * The server does so too, but only with what a language pack says, not with what a package brings itself.
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
      // Collected from the schema, not from here.
      (node as Record<string, string>)[key] = trans.gettext(value);
    } else if (PARTS.includes(key) && typeof value === 'object' && value) {
      for (const part of Object.values(value as Record<string, object>)) {
        translate(part, trans);
      }
    }
  }
}

/** Under which a schema has others. */
const PARTS = ['properties', 'oneOf'];
