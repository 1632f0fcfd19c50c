/** Requests to the API; errors carry a sentence for people. */

/** An answer that is no success: `message` can be shown, `field` names the input at fault. */
class ApiError extends Error {
	constructor(status, problem) {
		super(problem.detail || problem.title || `HTTP ${status}`);
		this.status = status;
		this.field = problem.field || null;
		this.hint = problem.hint || null;
	}
}

/** The part behind `?`; null and undefined are left out. */
export function queryText(query = {}) {
	const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
	return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}

/** `request(path, {method, query, body})` for an API below `base`, with the browser's cookie. */
export function createRequest(base) {
	return async function request(path, { method = 'GET', query, body, signal } = {}) {
		const options = { method, credentials: 'same-origin', cache: 'no-store', signal, headers: { Accept: 'application/json' } };
		if (body !== undefined) {
			options.body = JSON.stringify(body);
			options.headers['Content-Type'] = 'application/json';
		}
		const answer = await fetch(`${base}/${path}${queryText(query)}`, options);
		const text = await answer.text();
		let content = {};
		try {
			content = text ? JSON.parse(text) : {};
		} catch {
			content = { detail: `The service answered with something unreadable (HTTP ${answer.status}).` };
		}
		if (!answer.ok)
			throw new ApiError(answer.status, content);
		return content;
	};
}
