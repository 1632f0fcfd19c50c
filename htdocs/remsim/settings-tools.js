/** What only the service can do with its settings, below LuCI's own forms: export, import, earlier versions. */

import { el, fill, setText } from './dom.js';
import { Review } from './settings-review.js';
import { Transfer } from './settings-transfer.js';
import { VersionList } from './settings-versions.js';
import { wordsOf } from './settings-words.js';
import { followScheme } from './theme.js';

const RESTART_MS = 5000;

/** Mount them into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	return new Tools(node, options);
}

class Tools {
	constructor(node, { t, request, readonly, scheme }) {
		Object.assign(this, { _t: t, _request: request, _types: null, isWaiting: false });
		const words = path => wordsOf(path, this._types || [], t), clock = { now: () => Date.now() / 1000 };
		const known = (path, asked) => this._known().then(() => request(path, asked));
		this.said = el('p.remsim-said-now', { role: 'status' });
		this.review = new Review({ t, words, apply: restarts => this._apply(restarts), closed: () => this.transfer.file.focus() });
		this.transfer = new Transfer({ t, request, isReadonly: readonly, chosen: document => this._look(document) });
		this.versions = new VersionList({ t, request: known, isReadonly: readonly, store: clock, words, rolledBack: () => this._done(t('Rolled back.')) });
		this.root = el('div.remsim.remsim-settings', {}, this.said, this.review.root, el('div.remsim-stack', {}, this.transfer.root, this.versions.root));
		this._stop = followScheme(this.root, scheme, () => {});
		fill(node, this.root);
	}

	/** The settings' names, asked for when one is to be told. */
	async _known() {
		this._types ||= (await this._request('config/form')).types;
	}

	async _look(document) {
		await this._known();
		const { etag } = await this._request('config', { query: { types: 'web' } });
		const outcome = await this._request('config/check', { method: 'POST', body: document });
		Object.assign(this, { _document: document, _etag: etag });
		this.review.show(outcome, { soft: outcome.restart_needed.filter(name => !outcome.needs_init.includes(name)), hard: outcome.needs_init });
	}

	async _apply(restarts) {
		await this._request('config/import', { method: 'POST', body: this._document, query: { etag: this._etag } });
		this.review.hide();
		if (!restarts) {
			this._done(this._t('Saved.'));
			return;
		}
		setText(this.said, this._t('The service is restarting. This page goes on by itself.'));
		await this._request('service/restart', { method: 'POST' });
		setTimeout(() => location.reload(), RESTART_MS);
	}

	/** The forms above show what was: the page is opened anew. */
	_done(text) {
		setText(this.said, text);
		location.reload();
	}

	pause() {}

	resume() {}

	destroy() {
		this._stop();
		this.root.remove();
	}
}
