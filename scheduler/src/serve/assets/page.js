// Keeps the page as it is on the server: asks for its changing part each second and changes what differs,
// so that what is selected, scrolled or focused stays. Map and page share nothing but `fetchText`.
"use strict";

// Asks for a path; throws where nobody answers. Whoever isn't signed in any more gets the form.
async function fetchText(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(8000) });
  if (answer.status === 401) {
    location.reload();
    throw new Error("signed out");
  }
  return { status: answer.status, text: await answer.text() };
}

(() => {
  const EVERY = 1000;
  const EVERY_HIDDEN = 10000;
  const live = document.getElementById("live");
  const away = document.getElementById("away");
  const copied = document.getElementById("copied");
  let answered = new Date();

  const keyOf = (node) =>
    node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || null : null;

  const alike = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

  function change(node, wanted) {
    if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.data !== wanted.data) node.data = wanted.data;
      return;
    }
    // The map is its script's.
    if ("kept" in node.dataset) return;
    for (const { name, value } of [...wanted.attributes]) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    for (const { name } of [...node.attributes]) {
      // Whether somebody opened it is the reader's.
      if (name !== "open" && !wanted.hasAttribute(name)) node.removeAttribute(name);
    }
    changeChildren(node, wanted);
  }

  function changeChildren(parent, wanted) {
    const known = new Map();
    for (const child of parent.children) {
      const key = keyOf(child);
      if (key) known.set(key, child);
    }
    let at = parent.firstChild;
    for (const child of [...wanted.childNodes]) {
      const key = keyOf(child);
      const match = key ? known.get(key) : at && alike(at, child) ? at : null;
      if (match && alike(match, child)) {
        if (match === at) at = at.nextSibling;
        else parent.insertBefore(match, at);
        change(match, child);
      } else {
        parent.insertBefore(document.importNode(child, true), at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function tellAway(isAway) {
    if (isAway) away.textContent = `No answer since ${answered.toISOString().slice(11, 19)} UTC`;
    away.hidden = !isAway;
    document.body.classList.toggle("stale", isAway);
  }

  async function look() {
    try {
      const { status, text } = await fetchText("/live");
      if (status !== 200) throw new Error(`status ${status}`);
      const wanted = new DOMParser().parseFromString(text, "text/html");
      changeChildren(live, wanted.body);
      answered = new Date();
      tellAway(false);
    } catch {
      tellAway(true);
    }
    setTimeout(look, document.hidden ? EVERY_HIDDEN : EVERY);
  }

  // Where the page isn't encrypted, and not this machine's, browsers have no clipboard for scripts.
  let hiding = 0;
  async function copy(button) {
    const code = button.parentElement.querySelector("code");
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      getSelection().selectAllChildren(code);
      if (!document.execCommand("copy")) done = "Selected";
    }
    // Not at the button: it is the server's, and may be another a moment later.
    copied.textContent = `${done}: ${button.dataset.copy}`;
    copied.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { copied.hidden = true; }, 3000);
  }

  document.documentElement.classList.add("scripted");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tellAway(!away.hidden); });
  setTimeout(look, EVERY);
})();
