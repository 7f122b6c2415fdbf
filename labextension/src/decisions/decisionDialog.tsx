import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';
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
import { showInTopLayer } from './topLayer';

/** Opens the one place where an approval request is decided. */
export interface IDecisions {
  /**
   * Show an approval request and its two buttons; while one is shown, nothing happens.
   *
   * @param after - Called when it closes because the user has decided.
   */
  open(approval: IApproval, after?: () => void): void;
}

/** Decides approval requests in a modal `dialog` element. */
export class DecisionDialog implements IDecisions {
  constructor(options: DecisionDialog.IOptions) {
    this._options = options;
  }

  open(approval: IApproval, after?: () => void): void {
    if (this._isOpen) {
      return;
    }
    this._isOpen = true;
    const content = new Content({
      ...this._options,
      approval,
      onEnd: isDecided => {
        close();
        if (isDecided) {
          after?.();
        }
      }
    });
    const close = showInTopLayer(content, content.title_, () => {
      this._isOpen = false;
    });
  }

  private readonly _options: DecisionDialog.IOptions;
  private _isOpen = false;
}

/** A namespace for `DecisionDialog` statics. */
export namespace DecisionDialog {
  /** The instantiation options. */
  export interface IOptions {
    highlight: Highlight | null;
    model: IGovernanceModel;
    navigation: INotebookNavigation;
    notation: Notation;
    store: WaitingApprovals;
    trans: TranslationBundle;
  }
}

class Content extends ReactWidget {
  constructor(
    private readonly _props: DecisionDialog.IOptions & {
      approval: IApproval;
      onEnd: (isDecided: boolean) => void;
    }
  ) {
    super();
    this.addClass('aumos-Decision-content');
    this._props.store.changed.connect(this.update, this);
    this._props.model.changed.connect(this.update, this);
  }

  readonly title_ = `aumos-decision-${UUID.uuid4()}`;

  override dispose(): void {
    this._props.store.changed.disconnect(this.update, this);
    this._props.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    const { approval, highlight, model, navigation, notation, onEnd, store } =
      this._props;
    // What lies behind cannot be seen: a link to a cell closes the dialog first.
    const leave = {
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
          <Navigation.Provider value={leave}>
            <Decision
              approval={approval}
              isOpen={store.entries.some(({ id }) => id === approval.id)}
              model={model}
              store={store}
              title={this.title_}
              facts={`${this.title_}-facts`}
              onEnd={onEnd}
              trans={this._props.trans}
            />
          </Navigation.Provider>
        </NotationContext.Provider>
      </Highlighting.Provider>
    );
  }
}
