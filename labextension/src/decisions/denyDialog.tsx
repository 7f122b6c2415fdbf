import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ILimitRequest } from '../protocol/waiting';
import type { WaitingLimits } from '../state/waitingLimits';
import type { IGovernanceModel } from '../tokens';
import { Button } from '../widgets/button';
import { useAction, usePermission } from '../widgets/hooks';
import { NotationContext } from '../widgets/notation';
import { UserButton } from '../widgets/userButton';
import { ErrorLine, Note } from '../widgets/words';
import type { Notation } from '../words/notation';
import { DialogContent, OneDialog } from './dialogContent';
import { LimitFacts } from './limitFacts';
import { useSteady } from './steady';

/** What the buttons on a card of calls at a limit do. */
export interface ILimitActions {
  /** Move the focus to the budget's field of a notebook in the panel, with an amount in USD filled in. */
  raise(path: string, budget: string): void;
  /**
   * Show the calls in a dialog with the button that denies them all. Does nothing while a dialog is open.
   *
   * @param after - Called after the dialog has closed because the user has denied the calls.
   */
  deny(request: ILimitRequest, after?: () => void): void;
}

/** The dialog in which a user denies calls that wait at a limit, in a modal `dialog` element. */
export class DenyDialog {
  constructor(options: DenyDialog.IOptions) {
    this._options = options;
  }

  /** Implement `ILimitActions.deny`. */
  open(request: ILimitRequest, after?: () => void): void {
    this._dialog.open(
      onEnd => new Content({ ...this._options, request, onEnd }),
      after
    );
  }

  private readonly _dialog = new OneDialog();
  private readonly _options: DenyDialog.IOptions;
}

/** A namespace for the types that belong to `DenyDialog`. */
export namespace DenyDialog {
  /** The options of the constructor of `DenyDialog`. */
  export interface IOptions {
    model: IGovernanceModel;
    notation: Notation;
    store: WaitingLimits;
    trans: TranslationBundle;
  }
}

type Props = DenyDialog.IOptions & {
  request: ILimitRequest;
  /** Called to close the dialog: with true after the user has denied the calls, else with false. */
  onEnd: (isDenied: boolean) => void;
};

class Content extends DialogContent {
  constructor(private readonly _props: Props) {
    super([_props.store.changed, _props.model.changed]);
  }

  protected override render(): React.JSX.Element {
    return (
      <NotationContext.Provider value={this._props.notation}>
        <Deny {...this._props} title={this.titleId} />
      </NotationContext.Provider>
    );
  }
}

function Deny(props: Props & { title: string }): React.JSX.Element {
  const { model, onEnd, store, title, trans } = props;
  const permission = usePermission(model, trans);
  const action = useAction(trans);
  const isSteady = useSteady();
  // The button denies all calls that wait when it is pressed, so the dialog shows their current number.
  const current = store.entries.find(({ id }) => id === props.request.id);
  const request = current ?? props.request;
  const isOpen = current !== undefined;
  const facts = `${title}-facts`;
  return (
    <>
      <h2 className="aumos-Decision-title" tabIndex={-1} id={title}>
        {trans._n(
          'Deny this call?',
          'Deny all %1 calls?',
          request.count,
          request.count
        )}
      </h2>
      <div
        className="aumos-Decision-facts"
        tabIndex={0}
        role="group"
        aria-labelledby={facts}
      >
        <LimitFacts
          isAtCell
          isElsewhere
          model={model}
          request={request}
          title={facts}
          trans={trans}
        />
      </div>
      <ErrorLine message={action.message} />
      <div className="aumos-Decision-end" role="status">
        {!isOpen && !action.isPending && (
          <Note>{trans.__('Nothing waits at this limit any more.')}</Note>
        )}
      </div>
      <div className="aumos-Actions aumos-Decision-actions">
        {isOpen && (
          <UserButton
            kind="primary"
            isDisabled={permission.isDisabled || action.isPending || !isSteady}
            why={permission.why}
            onUserPress={() =>
              action.run(async key => {
                await store.deny(request, key);
                onEnd(true);
              })
            }
          >
            {trans.__('Deny')}
          </UserButton>
        )}
        <Button onClick={() => onEnd(false)}>
          {isOpen ? trans.__('Decide later') : trans.__('Close')}
        </Button>
      </div>
    </>
  );
}
