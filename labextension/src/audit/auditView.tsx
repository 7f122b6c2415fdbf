import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';
import type { IAuditFilters } from '../server/auditApi';
import { AuditPages } from './auditPages';
import { failureWords } from '../words/failures';
import type { Notation } from '../words/notation';
import type { INotebookNavigation } from '../state/notebookNavigation';
import { Button } from '../widgets/button';
import { revisionOf } from '../widgets/hooks';
import { Navigation } from '../widgets/navigation';
import { NotationContext } from '../widgets/notation';
import type { IPanelApi } from '../tokens';
import { ErrorLine, Note } from '../widgets/words';
import type { IAuditRecord } from '../protocol/audit';
import type { IGovernanceModel } from '../tokens';
import { AuditDetail } from './auditDetail';
import { AuditFilters } from './auditFilters';
import { AuditTable } from './auditTable';
import { ChainStatus } from './chainStatus';
import { ExportLinks } from './exportLinks';

/** The least time between two automatic loads of the newest records, in milliseconds. */
const PAUSE = 2000;

/**
 * The tab with the audit record: filters, the table of records, one record in detail, links to export the records, and
 * whether the record is intact.
 */
export class AuditView extends ReactWidget {
  constructor(options: AuditView.IOptions) {
    super();
    this._api = options.api;
    this._model = options.model;
    this._navigation = options.navigation;
    this._notation = options.notation;
    this._trans = options.trans;
    this._pages = new AuditPages({ api: options.api.audit });
    this._version = this._modelVersion();
    this.addClass('aumos-AuditView');
    this._pages.changed.connect(() => this.update());
    this._model.changed.connect(this._onModel, this);
  }

  /** The path of the notebook whose records the tab was opened for; null for those of all notebooks. */
  get path(): string | null {
    return this._path;
  }

  /**
   * Show the records of the notebook at a path, or of all notebooks if it is null, and optionally one record in detail.
   */
  showRecords(path: string | null, record: IAuditRecord | null = null): void {
    this._isDeniedToday &&= path === this._path;
    this._path = path;
    this._selected = record;
    void this._readNames();
    this.update();
  }

  /** Show the records with the filters set to the requests denied today. */
  showDenials(path: string | null): void {
    this._isDeniedToday = true;
    this._presets += 1;
    this._path = path;
    this.showRecords(path);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.clearTimeout(this._timer);
    this._model.changed.disconnect(this._onModel, this);
    this._pages.dispose();
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    const { failure, filters } = this._pages;
    const trans = this._trans;
    const session =
      filters.path == null ? null : this._model.stateOf(filters.path);
    const length = this._pages.length;
    const count = this._notation.count(length ?? 0);
    return (
      <NotationContext.Provider value={this._notation}>
        <Navigation.Provider value={this._navigation}>
          <AuditFilters
            key={`filters ${this._presets} ${this._path}`}
            path={this._path}
            isDeniedToday={this._isDeniedToday}
            tools={this._tools}
            agents={this._agents}
            sessionId={this._sessionId()}
            today={this._today()}
            trans={trans}
            onFilter={this._filter}
            onType={this._onType}
          />
          <div className="aumos-AuditView-bar">
            <p role="status" className="aumos-AuditView-count">
              {length === null || this._isPending
                ? // After a failure nothing is being loaded.
                  !failure && trans.__('Loading records…')
                : trans._n('%1 record', '%2 records', length, count, count)}
            </p>
            {this._isStale && (
              <Button kind="link" onClick={this._renew}>
                {trans.__('Show newer records')}
              </Button>
            )}
            <ChainStatus
              api={this._api.audit}
              path={filters.path ?? null}
              sessionId={session?.session_id ?? null}
              revision={revisionOf(this._model, session)}
              trans={trans}
            />
            <ExportLinks
              api={this._api.audit}
              filters={filters}
              trans={trans}
            />
          </div>
          <ErrorLine message={failure && failureWords(failure, trans)} />
          <div
            className="aumos-AuditView-main"
            aria-busy={this._isPending || undefined}
          >
            {length === 0 ? (
              <Note>{trans.__('No record matches the filters.')}</Note>
            ) : (
              <AuditTable
                key={`table ${this._lists}`}
                pages={this._pages}
                selected={this._selected?.record_id ?? null}
                today={this._today()}
                config={this._model.config}
                trans={trans}
                onSelect={this._select}
                onTop={this._onTop}
              />
            )}
            {this._selected && (
              <AuditDetail
                api={this._api.waiting}
                model={this._model}
                record={this._selected}
                trans={trans}
                onClose={() => this._select(null)}
                onCorrected={this._renew}
              />
            )}
          </div>
        </Navigation.Provider>
      </NotationContext.Provider>
    );
  }

  protected override onActivateRequest(_: Message): void {
    this.node
      .querySelector<HTMLElement>('.aumos-AuditTable')
      ?.focus({ preventScroll: true });
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._follow();
  }

  private readonly _onType = (filters: IAuditFilters): void =>
    this._setPending(JSON.stringify(filters) !== JSON.stringify(this._filters));

  private _setPending(isPending: boolean): void {
    if (isPending !== this._isPending) {
      this._isPending = isPending;
      this.update();
    }
  }

  private readonly _filter = (filters: IAuditFilters): void => {
    this._setPending(false);
    if (JSON.stringify(filters) !== JSON.stringify(this._filters)) {
      this._filters = filters;
      this._lists += 1;
      this._isStale = false;
      this._isAtTop = true;
      this._pages.filter(filters);
      this.update();
    }
  };

  private readonly _select = (record: IAuditRecord | null): void => {
    this._selected = record;
    this.update();
    if (record === null) {
      this.activate();
    }
  };

  private readonly _renew = (): void => {
    this._isStale = false;
    this._lists += 1;
    this._pages.reload();
    this.update();
  };

  private readonly _onTop = (isAtTop: boolean): void => {
    this._isAtTop = isAtTop;
    this._follow();
  };

  private _onModel(): void {
    const shown = `${this._model.config?.user} ${this._sessionId()}`;
    if (shown !== this._shown) {
      this._shown = shown;
      this.update();
    }
    const version = this._modelVersion();
    if (version !== this._version) {
      this._version = version;
      this._isBehind = true;
      this._follow();
    }
  }

  /**
   * Load new records if the first row is in view; else show the button "Show newer records", since rows that the user
   * is reading must not move.
   */
  private _follow(): void {
    if (!this._isBehind || !this.isVisible || this._filters === null) {
      return;
    }
    if (!this._isAtTop) {
      this._isBehind = false;
      this._isStale = true;
      this.update();
      return;
    }
    if (this._timer === undefined) {
      this._isBehind = false;
      this._isStale = false;
      this._pages.reload();
      void this._readNames();
      this._timer = window.setTimeout(() => {
        this._timer = undefined;
        this._follow();
      }, PAUSE);
    }
  }

  /** Load the names of the tools and agents in the records, which the filter fields suggest. */
  private async _readNames(): Promise<void> {
    const path = this._path;
    try {
      const [tools, agents] = await Promise.all([
        this._api.audit.sums('tool', { path }),
        this._api.audit.sums('agent', { path })
      ]);
      if (path === this._path && !this.isDisposed) {
        this._tools = tools.sums.map(sum => sum.name);
        this._agents = agents.sums.map(sum => sum.name);
        this.update();
      }
    } catch {
      // Without suggestions the user can still type any name.
    }
  }

  /** Return the id of the last session of the notebook at `path`; null if there is no session or it is unknown. */
  private _sessionId(): string | null {
    return this._path === null
      ? null
      : (this._model.stateOf(this._path)?.session_id ?? null);
  }

  /**
   * Return a text that differs once records may have been added, or once the server is reachable again after a failure.
   */
  private _modelVersion(): string {
    return `${this._model.revision} ${this._model.connection}`;
  }

  /**
   * Return the time at which the current day began, in milliseconds; it is the same value all day, so the table is not
   * rendered again without need.
   */
  private _today(): number {
    return new Date().setHours(0, 0, 0, 0);
  }

  private readonly _api: IPanelApi;
  private readonly _model: IGovernanceModel;
  private readonly _navigation: INotebookNavigation;
  private readonly _notation: Notation;
  private readonly _trans: TranslationBundle;
  private readonly _pages: AuditPages;
  private _path: string | null = null;
  private _selected: IAuditRecord | null = null;
  private _filters: IAuditFilters | null = null;
  private _tools: readonly string[] = [];
  private _agents: readonly string[] = [];
  private _version: string;
  /** The user and session id with which the tab was last rendered, as text. */
  private _shown = '';
  /** Whether the filter form starts with the filters for requests denied today. */
  private _isDeniedToday = false;
  /** How often `showDenials` was called. It is part of the form's `key`, so each call resets the form. */
  private _presets = 0;
  /** Whether the user is typing a filter that is not applied yet. */
  private _isPending = false;
  /**
   * How often the list was filtered or reloaded. It is part of the table's `key`, so each time the table starts at its
   * top again.
   */
  private _lists = 0;
  private _isAtTop = true;
  /** Whether newer records may exist, and neither are being loaded nor offered by the button "Show newer records". */
  private _isBehind = false;
  /** Whether the button "Show newer records" is shown. */
  private _isStale = false;
  private _timer: number | undefined;
}

/** A namespace for the types that belong to `AuditView`. */
export namespace AuditView {
  /** The options of the constructor of `AuditView`. */
  export interface IOptions {
    api: IPanelApi;
    model: IGovernanceModel;
    navigation: INotebookNavigation;
    notation: Notation;
    trans: TranslationBundle;
  }
}
