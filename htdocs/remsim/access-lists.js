/** What lets somebody in, line by line: API tokens, browsers, apps; each can be ended. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { epoch, lasting, moment } from './format.js';

/** A list of lines with a button each; subclasses say what stands in a line and what ending it means. */
class EndableList {
	constructor(context, title, help) {
		const { t } = context;
		this.context = context;
		this.list = el('ul.remsim-plainlist');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.none = el('p.remsim-absent', { hidden: true });
		this.root = el('section.remsim-panel', { 'aria-label': title }, el('h2', {}, title), el('p.remsim-help', {}, help), this.error, this.none, this.list);
		this.t = t;
	}

	show(rows) {
		this.none.hidden = rows.length > 0;
		fill(this.list, rows.map(row => el(`li.remsim-entry${this.isOver(row) ? '.remsim-entry-off' : ''}`, {},
			el('strong.remsim-access-name', {}, this.nameOf(row)), el('span.remsim-access-scopes', {}, row.scopes.map(scope => el('code', {}, scope))),
			el('span.remsim-entry-more', {}, this.factsOf(row).filter(Boolean).join(' · ')),
			this.isOver(row) ? null : el('button', { type: 'button', 'aria-label': `${this.word}: ${this.nameOf(row)}`, click: () => this.end(row) }, this.word))));
	}

	isOver() { return false; }

	/** When something was, in words. */
	when(iso) {
		return moment(epoch(iso), this.context.store.now(), false);
	}

	used(row) {
		return row.last_used_at ? this.t('last used %s', this.when(row.last_used_at)) : this.t('not used yet');
	}

	ends(row) {
		if (row.never_expires)
			return this.t('never ends');
		return row.expires_at ? this.t('ends %s', this.when(row.expires_at)) : this.t('its end is known when the clock is set');
	}

	async end(row) {
		const { t, context } = this;
		if (!await ask(context.root, { ...this.question(row), yes: this.word, t }))
			return;
		this.error.hidden = true;
		try {
			await context.request(`${this.path}/${encodeURIComponent(row.id)}`, { method: 'DELETE' });
			await context.written(this.done(row));
			(this.list.querySelector('button') || this.root).focus?.({ preventScroll: true });
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
	}
}

export class TokenList extends EndableList {
	constructor(context) {
		const { t } = context;
		super(context, t('API tokens'), t('For programs, Prometheus and monitors on a wall. The router keeps no secret, only its hash.'));
		this.path = 'tokens';
		this.word = t('Revoke');
		setText(this.none, t('There is no token. Make one above for the first program or monitor.'));
	}

	isOver(row) { return !row.is_good; }

	nameOf(row) { return row.name; }

	factsOf(row) {
		const { t } = this;
		const state = row.revoked_at ? t('revoked %s', this.when(row.revoked_at)) : row.is_good ? this.ends(row) : t('has ended');
		return [state, this.used(row), row.created_at ? t('made %s by %s', this.when(row.created_at), row.created_by) : t('made by %s', row.created_by)];
	}

	question(row) {
		const { t } = this;
		return { title: t('Revoke %s?', row.name), texts: [t('Whatever uses it is shut out at once, with its open pages and streams.'), t('What it has made itself ends too. A new token is the only way back.')] };
	}

	done(row) { return this.t('%s is revoked.', row.name); }
}

export class SessionList extends EndableList {
	constructor(context) {
		const { t } = context;
		super(context, t('Browsers and apps'), t('Browsers end after 30 days without use, apps after 90. Logins of LuCI are not here: LuCI ends them itself.'));
		this.path = 'sessions';
		this.word = t('Log out');
		setText(this.none, t('No browser is logged in by a link, and no app is paired.'));
	}

	nameOf(row) {
		return row.kind === 'app' ? row.name : browserName(row.name, this.t);
	}

	factsOf(row) {
		const { t } = this;
		const since = row.created_at ? lasting(this.context.store.now() - epoch(row.created_at)) : null;
		return [row.is_current ? t('this browser') : '', row.kind === 'app' ? t('app of %s', row.user) : t('browser of %s', row.user),
			row.address ? t('from %s', row.address) : '', since ? t('for %s', since) : '', this.used(row)];
	}

	question(row) {
		const { t } = this;
		return { title: t('Log %s out?', this.nameOf(row)), texts: [row.is_current ? t('This is the browser you are using: you will need a new link.') : t('It is shut out at once.')] };
	}

	done(row) { return this.t('%s is logged out.', this.nameOf(row)); }
}

/** What people call a browser, from how it introduces itself; the whole text when it is none of the usual ones. */
function browserName(agent, t) {
	const found = [['Edg/', 'Edge'], ['OPR/', 'Opera'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']].find(([mark]) => agent.includes(mark));
	const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS X', 'Linux'].find(name => agent.includes(name));
	if (!found)
		return agent || t('A browser');
	return system ? t('%s on %s', found[1], system) : found[1];
}
