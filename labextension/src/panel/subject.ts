import { Observable } from '../state/observable';
import type { IGovernanceState } from '../protocol/state';
import type { IGovernanceModel } from '../tokens';

/**
 * Which notebook the panel shows: the one in front, or another one that the user selected in the list of all notebooks.
 *
 * The panel shows the selected notebook until another notebook comes to the front.
 */
export class PanelSubject extends Observable {
  constructor(model: IGovernanceModel) {
    super();
    this._model = model;
    this._front = model.path;
    model.changed.connect(this._onModel, this);
  }

  /** The server-local path of the notebook that the panel shows; null if there is none. */
  get path(): string | null {
    return this._followed ?? this._model.path;
  }

  /** The governance state of that notebook; null if it is not loaded yet. */
  get state(): IGovernanceState | null {
    return this.path === null ? null : this._model.stateOf(this.path);
  }

  /** Whether the user selected a notebook that is not in front. */
  get isFollowed(): boolean {
    return this._followed !== null;
  }

  /** Have the panel show the notebook at a path; null means the notebook in front again. */
  follow(path: string | null): void {
    const followed = path === this._model.path ? null : path;
    if (followed !== this._followed) {
      this._followed = followed;
      this.notify();
    }
  }

  override dispose(): void {
    this._model.changed.disconnect(this._onModel, this);
    super.dispose();
  }

  private _onModel(): void {
    if (this._model.path !== this._front) {
      this._front = this._model.path;
      if (this._front !== null) {
        this._followed = null;
      }
      this.notify();
    }
  }

  private readonly _model: IGovernanceModel;
  private _front: string | null;
  private _followed: string | null = null;
}
