/** The Access page: who may get in and by what, what lets somebody new in, and what was changed by whom. */

import { AuditPanel } from './access-audit.js';
import { SessionList, TokenList } from './access-lists.js';
import { MakePanel } from './access-make.js';
import { el, fill, setText } from './dom.js';
import { Frame } from './frame.js';

/** Mount the Access page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new AccessPage(node, options);
	await page.start();
	return page;
}

class AccessPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-accesspage');
		const { t, request, apiUrl } = this.options;
		const context = { t, request, apiUrl, store: this.store, root: this.root, options: this.options, written: text => this._written(text) };
		this.failed = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.tokens = new TokenList(context);
		this.sessions = new SessionList(context);
		this.make = new MakePanel(context);
		this.audit = new AuditPanel(context);
		this.panels = el('div.remsim-stack', { hidden: true }, this.make.root, this.tokens.root, this.sessions.root, this.audit.root);
		fill(this.body, this.failed, this.panels);
	}

	changed() {
		this._loaded ||= this._load();
	}

	async _load() {
		const { t, readonly } = this.options;
		if (readonly) {
			this._refuse();
			return;
		}
		try {
			await this._ask();
			this.failed.hidden = true;
			this.panels.hidden = false;
			this.audit.load();
		} catch (error) {
			this.failed.hidden = false;
			this.panels.hidden = true;
			if (error.status === 403)
				this._refuse();
			else
				fill(this.failed, error.hint ? `${error.message} – ${error.hint}` : error.message, ' ', el('button', { type: 'button', click: () => { this._loaded = this._load(); } }, t('Try again')));
		}
	}

	/** Why this login sees nothing here, and what gives it the right. */
	_refuse() {
		const { t, throughLuci } = this.options;
		this.failed.hidden = false;
		fill(this.failed, el('strong', {}, t('This login may not see who may get in.')), ' ', throughLuci
			? t('It needs write access to luci-app-remsim.')
			: t('It needs the right to change things (scope write). On the router, “remsim link” gives a link that has it.'));
	}

	async _ask() {
		const { request } = this.options;
		const [known, { sessions }] = await Promise.all([request('tokens'), request('sessions')]);
		this.make.show(known);
		this.tokens.show(known.tokens);
		this.sessions.show(sessions);
	}

	/** Something was made or ended: the lists anew, and what was done in words. */
	async _written(text) {
		setText(this.told, text);
		await this._ask();
		this.audit.load();
	}
}
