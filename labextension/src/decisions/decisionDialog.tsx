import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IApproval } from '../protocol/waiting';
import type { INotebookNavigation } from '../state/notebookNavigation';
import type { WaitingApprovals } from '../state/waitingApprovals';
import type { IGovernanceModel } from '../tokens';
import { type Highlight, Highlighting } from '../widgets/highlighting';
import { Navigation } from '../widgets/navigation';
import { NotationContext } from '../widgets/notation';
import type { Notation } from '../words/notation';
import { Decision } from './decision';
import { DialogContent, OneDialog } from './dialogContent';

/** Opens the only dialog of the page in which a user decides an approval request. */
export interface IDecisions {
  /**
   * Show an approval request with the buttons that approve or deny it. Does nothing while such a dialog is open.
   *
   * @param after - Called after the dialog has closed because the user has decided.
   */
  open(approval: IApproval, after?: () => void): void;
}

/** The dialog in which a user decides an approval request, in a modal `dialog` element. */
export class DecisionDialog implements IDecisions {
  constructor(options: DecisionDialog.IOptions) {
    this._options = options;
  }

  open(approval: IApproval, after?: () => void): void {
    this._dialog.open(
      onEnd => new Content({ ...this._options, approval, onEnd }),
      after
    );
  }

  private readonly _dialog = new OneDialog();
  private readonly _options: DecisionDialog.IOptions;
}

/** A namespace for the types that belong to `DecisionDialog`. */
export namespace DecisionDialog {
  /** The options of the constructor of `DecisionDialog`. */
  export interface IOptions {
    highlight: Highlight | null;
    model: IGovernanceModel;
    navigation: INotebookNavigation;
    notation: Notation;
    store: WaitingApprovals;
    trans: TranslationBundle;
  }
}

class Content extends DialogContent {
  constructor(
    private readonly _props: DecisionDialog.IOptions & {
      approval: IApproval;
      onEnd: (isDecided: boolean) => void;
    }
  ) {
    super([_props.store.changed, _props.model.changed]);
  }

  protected override render(): React.JSX.Element {
    const { approval, highlight, model, navigation, notation, onEnd, store } =
      this._props;
    // The dialog covers the page, so a link to a cell closes it first.
    const closeAndNavigate = {
      open: async (path: string) => {
        onEnd(false);
        await navigation.open(path);
      },
      goTo: async (...target: Parameters<typeof navigation.goTo>) => {
        onEnd(false);
        await navigation.goTo(...target);
      }
    };
    return (
      <Highlighting.Provider value={highlight}>
        <NotationContext.Provider value={notation}>
          <Navigation.Provider value={closeAndNavigate}>
            <Decision
              approval={approval}
              isOpen={store.entries.some(({ id }) => id === approval.id)}
              model={model}
              store={store}
              title={this.titleId}
              facts={`${this.titleId}-facts`}
              onEnd={onEnd}
              trans={this._props.trans}
            />
          </Navigation.Provider>
        </NotationContext.Provider>
      </Highlighting.Provider>
    );
  }
}
