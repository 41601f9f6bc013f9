"""`tunesmith models`: what can be asked and tuned."""

from __future__ import annotations

import typer

from tunesmith.cli.runner import AsJson, in_session

app = typer.Typer(help="Models on this machine: list, health.", no_args_is_help=True)


@app.command("list")
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the models of the local store."""
    from tunesmith.cli.output import print_json, print_table, size

    answer = in_session(ctx, lambda s: s.client.call("GET", "/model/local-models"))
    if as_json:
        print_json(answer)
        return
    rows = (
        (
            m["model_id"],
            m["architecture"],
            f"{m['num_parameters'] / 1e6:.1f} M",
            size(m["size_bytes"]),
            m["path"],
        )
        for m in answer["items"]
    )
    print_table("Models", ("model", "architecture", "parameters", "size", "folder"), rows)


@app.command("health")
def health(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the runtime's state, device and memory."""
    from tunesmith.cli.output import print_json, print_table

    answer = in_session(ctx, lambda s: s.client.call("GET", "/model/health"))
    if as_json:
        print_json(answer)
    else:
        print_table("Runtime", ("field", "value"), answer.items())
