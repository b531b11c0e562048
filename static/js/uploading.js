// A file that cannot be taken is refused by its name and size, before its bytes travel.
(() => {
  async function judge(form) {
    const input = form.querySelector("input[type=file]");
    const body = new URLSearchParams();
    for (const file of input.files) {
      body.append("name", file.name);
      body.append("size", file.size);
    }
    const headers = { "HX-Request": "true", "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
    const answer = await fetch(form.dataset.judge, { method: "POST", body, headers, cache: "no-store" });
    const isRefused = answer.status === 422 && answer.headers.has("HX-Retarget"); // not the error page of a proxy
    form.querySelector("[data-judged]").innerHTML = isRefused ? await answer.text() : "";
    form.querySelectorAll(".cp-field .cp-error:not([data-judged] *)").forEach((old) => old.remove());
    input.setAttribute("aria-invalid", String(isRefused));
    input.classList.toggle("is-invalid", isRefused);
    if (isRefused) input.focus();
    return !isRefused;
  }

  function chosen(input) {
    const form = input.closest("form[data-judge]");
    if (form && input.type === "file" && input.files.length) judge(form).catch(() => {});
  }
  document.addEventListener("change", (event) => chosen(event.target));
  document.querySelectorAll("input[type=file]").forEach(chosen); // before this script was there
  document.addEventListener("beforeFiles", (event) => {
    if (event.target.matches("form[data-judge]")) event.detail.push(() => judge(event.target));
  });
})();
