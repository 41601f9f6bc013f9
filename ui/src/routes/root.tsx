import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext } from "@tanstack/react-router";
import { Shell } from "@/components/shell/shell";
import { CommandPalette } from "@/features/palette/command-palette";
import { HealthDot } from "@/features/system/health-dot";

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: () => <Shell health={<HealthDot />} palette={<CommandPalette />} />,
});
