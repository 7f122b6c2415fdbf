import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ICreatedKey } from '../protocol/gateway';
import { Button } from '../widgets/button';
import { CopiedText } from '../widgets/copiedText';
import { Note } from '../widgets/words';
import { DialogContent, OneDialog } from './dialogContent';

/**
 * The dialog that shows the secret of a new key once, in a modal `dialog` element. After it is closed, the page has no
 * copy of the secret.
 */
export class KeyDialog {
  constructor(options: KeyDialog.IOptions) {
    this._options = options;
  }

  /** Show the secret of a key that was just created; does nothing while a dialog is open. */
  open(created: ICreatedKey): void {
    this._dialog.open(
      onEnd => new Content({ ...this._options, created, onEnd })
    );
  }

  private readonly _dialog = new OneDialog();
  private readonly _options: KeyDialog.IOptions;
}

/** A namespace for the types that belong to `KeyDialog`. */
export namespace KeyDialog {
  /** The options of the constructor of `KeyDialog`. */
  export interface IOptions {
    trans: TranslationBundle;
    /** Copies text to the clipboard. */
    copy: (text: string) => void;
  }
}

type Props = KeyDialog.IOptions & {
  created: ICreatedKey;
  onEnd: (isDecided: boolean) => void;
};

class Content extends DialogContent {
  constructor(private readonly _props: Props) {
    super([]);
  }

  protected override render(): React.JSX.Element {
    const { copy, created, onEnd, trans } = this._props;
    const variables = Object.entries(created.environment)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
    return (
      <>
        <h2 className="aumos-Decision-title" tabIndex={-1} id={this.titleId}>
          {trans.__('Key “%1”', created.key.name)}
        </h2>
        <p>
          {trans.__(
            'Copy the key now. It is stored nowhere and cannot be shown again.'
          )}
        </p>
        <CopiedText
          copy={copy}
          label={trans.__('Copy key')}
          text={created.secret}
          trans={trans}
        />
        <details className="aumos-KeyDialog-variables">
          <summary>{trans.__('Environment variables of a program')}</summary>
          <CopiedText
            copy={copy}
            label={trans.__('Copy variables')}
            text={variables}
            trans={trans}
          />
        </details>
        <Note>
          {trans.__(
            'A program with this key can spend the budget of the key through the gateway, and do nothing else with it.'
          )}
        </Note>
        <div className="aumos-Actions aumos-Decision-actions">
          <Button onClick={() => onEnd(false)}>{trans.__('Close')}</Button>
        </div>
      </>
    );
  }
}
